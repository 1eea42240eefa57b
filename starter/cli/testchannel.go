package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"muster/internal/delivery"
	"muster/internal/org"
)

func (a *app) testChannel() *cobra.Command {
	folder, data := "", ""
	cmd := &cobra.Command{
		Use: "channel NAME --org FOLDER", DisableFlagsInUseLine: true,
		Short: "Send somebody a message that says that it is a test, by one of their methods",
		Long: `Send one message by one method of a person, a group or a contact: kim/slack, group:noc/chat, garam/it-desk/mail, or fallback for what
organisation.yaml says under fallback. It is in the language of whoever gets it, and says that it is a test. It fails when the other
side does not take it, and says what the other side said.

It needs no server and no worker, but the same environment and the same networks as the worker: it reads the same secrets.`,
		Example:           "  muster test channel kim/slack --org ./org\n  muster test channel group:noc/chat --org ./org\n  muster test channel fallback --org ./org",
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("NAME")(nil, args); err != nil {
				return err
			}
			return a.wantOrg(&folder)
		},
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			return a.tryChannel(cmd.Context(), args[0], folder, a.dataFolder(data))
		}),
	}
	a.orgFlag(cmd, &folder, "organisation `FOLDER`; default: MUSTER_ORG")
	a.dataFlag(cmd, &data)
	a.viewFlags(cmd)
	return cmd
}

// channelTest is the message of a test in one language.
func channelTest(language, url string) delivery.Message {
	m := delivery.Message{
		Kind: delivery.Test, Language: language, Priority: "P5", URL: url, Subject: "[TEST] Muster checks this channel: please ignore",
		Text: "This message is a test by muster test channel. Nothing has happened, and there is nothing to do.",
	}
	if language == "ko" {
		m.Subject = "[테스트] Muster 알림 수단 확인: 무시하셔도 됩니다"
		m.Text = "이 메시지는 muster test channel이 보낸 테스트입니다. 장애가 아니며, 하실 일은 없습니다."
	}
	return m
}

// A sent message is what a test has done.
type sent struct {
	Recipient string               `json:"recipient"`
	Method    string               `json:"method"`
	Type      delivery.ContactType `json:"type"`
	OK        bool                 `json:"ok"`             // the other side has taken it
	Said      string               `json:"said,omitempty"` // why not
}

// tryChannel sends one message, and says what the other side said.
func (a *app) tryChannel(ctx context.Context, name, folder, data string) error {
	if a.env.Process.Send == nil {
		return fmt.Errorf("muster test channel: this build does not have it")
	}
	o, err := org.LoadAsOf(folder, a.env.Now())
	if err != nil {
		return err
	}
	to, contact, err := o.Addressed(name)
	if err != nil {
		return err
	}
	now, terminal := a.env.Now().UTC(), a.env.Stdout
	if a.view.output != "table" {
		terminal = a.env.Stderr
	}
	err = a.env.Process.Send(ctx, o, data, terminal, delivery.Envelope{
		ID: delivery.ID("test/" + name + "/" + now.Format("20060102T150405.000Z")), Attempt: 1, At: now, Recipient: to, Contact: contact,
		Message: channelTest(to.Language, o.PublicURL),
	})
	s := sent{Recipient: to.ID, Method: contact.Method, Type: contact.Type, OK: err == nil}
	if err != nil {
		s.Said = err.Error()
		err = fmt.Errorf("%s (%s): %w", name, contact.Type, err)
	}
	if a.view.output != "table" {
		return cmp.Or(a.answer(s, nil), err)
	}
	if err == nil {
		took := "%s (%s): sent to %s"
		if a.language() == "ko" {
			took = "%s (%s): 전송 완료, 받는 사람 %s"
		}
		lines(a.env.Stdout, fmt.Sprintf(took, name, contact.Type, to.Name))
	}
	return err
}
