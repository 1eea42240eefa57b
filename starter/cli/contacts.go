package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/reach"
	"muster/starter/api"
)

func (a *app) contacts() *cobra.Command {
	cmd := &cobra.Command{
		Use: "contacts [PERSON]", GroupID: "work",
		Short: "Show how everybody is reached, and whether that works",
		Long: `Show by which contact methods everybody is reached, what has come of the newest attempt and of the newest test page, and when a message
has last arrived. Those whom nothing reaches come first. Responders, auditors and administrators see everybody, and others themselves.

` + finding,
		Example:           "  muster contacts\n  muster contacts park\n  muster contacts test park",
		Args:              atMostOne("PERSON"),
		ValidArgsFunction: first(a.completeContacts()),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			l, err := c.Contacts(ctx, whom(args))
			if err != nil {
				return err
			}
			return a.answer(l, func(w io.Writer) {
				if len(l.Contacts) == 0 {
					a.none("nobody", "해당하는 사람이 없습니다")
					return
				}
				a.page(w, l.Language, l.Zone).contacts(&l)
			})
		}),
	}
	a.clientFlags(cmd)
	a.viewFlags(cmd)
	cmd.AddCommand(a.testContacts())
	return cmd
}

func (a *app) testContacts() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "test [PERSON]", Short: "Send test pages now",
		Long: `Send a test page by every contact method that is tested, of everybody or of one PERSON: [TEST], nothing is wrong, nothing to do. Who is
away or in quiet hours gets none. The organisation folder says in contact_tests which types are tested, and how often by themselves.`,
		Example:           "  muster contacts test\n  muster contacts test park\n  muster contacts test group:noc",
		Args:              atMostOne("PERSON"),
		ValidArgsFunction: first(a.completeContacts()),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			var r api.ContactTestReceipt
			err := a.once(key, func(key string) (err error) {
				r, err = c.TestContacts(ctx, api.NewContactTest{Person: whom(args)}, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) {
				fmt.Fprintf(w, contactLabelsIn(a.page(w, "", "").language).sent, r.Methods)
			})
		}),
	}
	keyFlag(cmd, &key)
	return cmd
}

// whom is the first argument, empty where there is none.
func whom(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// contactLabels are the words of one language that stand beside contact methods.
type contactLabels struct {
	who, method, newest, test, arrived, item, unreachable, untested, never, testing, every, sent string
}

func contactLabelsIn(language string) contactLabels {
	if language == "ko" {
		return contactLabels{
			who: "대상", method: "연락 수단", newest: "최근 시도", test: "최근 시험", arrived: "최근 도착", item: "개선 과제", unreachable: "연락 불가", untested: "시험하지 않음",
			never: "아직 없음", testing: "시험 알림을 보내는 중: %s부터, 요청 %s", every: "연락 수단마다 %s에 한 번 시험", sent: "시험 알림을 보냄: 연락 수단 %d개. 결과는 muster contacts\n",
		}
	}
	return contactLabels{
		who: "Who", method: "Method", newest: "Newest attempt", test: "Newest test", arrived: "Last arrived", item: "Action item", unreachable: "UNREACHABLE", untested: "not tested",
		never: "not yet", testing: "Test pages go out since %s, for %s", every: "Each contact method is tested every %s", sent: "Test pages go out by %d contact methods: muster contacts shows what comes of them\n",
	}
}

// contacts shows one row for each contact method.
func (p page) contacts(l *api.ContactList) {
	say := contactLabelsIn(p.language)
	if r := l.Testing; r != nil {
		fmt.Fprintf(p.w, say.testing+"\n\n", p.instant(r.Begun), printable(r.By.Shown()))
	}
	rows := [][]string{p.head(say.who, say.method, say.newest, say.test, say.arrived, say.item)}
	for _, c := range l.Contacts {
		for n, m := range c.Methods {
			who := ""
			if n == 0 {
				who = printable(fmt.Sprintf("%s (%s)", c.Name, c.ID))
			}
			if n == 0 && c.Unreachable {
				who += " " + p.paint(red, say.unreachable)
			}
			newest, test, arrived := "", say.untested, ""
			if m.Result != "" {
				newest = p.reached(m.Result) + ", " + p.instant(m.At)
			}
			switch {
			case m.Test != nil:
				test = p.reached(m.Test.Result) + ", " + p.instant(m.Test.At)
			case m.Tested:
				test = say.never
			}
			if !m.Arrived.IsZero() {
				arrived = p.instant(m.Arrived)
			}
			rows = append(rows, []string{who, printable(fmt.Sprintf("%s (%s)", m.Name, m.Type)), newest, test, arrived, printable(m.Item)})
		}
	}
	p.rows(p.w, rows, cut)
	p.whyNot(l)
	if d, err := time.ParseDuration(l.Every); err == nil && d > 0 {
		fmt.Fprintf(p.w, "\n"+say.every+"\n", p.view.texts.Duration(d, p.language))
	}
}

// whyNot says why test pages have not arrived.
func (p page) whyNot(l *api.ContactList) {
	space := "\n"
	for _, c := range l.Contacts {
		for _, m := range c.Methods {
			if m.Test == nil || m.Test.Result == reach.Delivered || m.Test.Detail == "" {
				continue
			}
			fmt.Fprintf(p.w, "%s%s\n", space, printable(fmt.Sprintf("%s/%s: %s", c.ID, m.Name, m.Test.Detail)))
			space = ""
		}
	}
}

func (p page) reached(r reach.Result) string {
	c := red
	if r == reach.Delivered {
		c = green
	}
	return p.paint(c, p.view.texts.Reached(r, p.language))
}

// completeContacts completes who can be reached.
func (a *app) completeContacts() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		l, err := c.Contacts(ctx, "")
		for _, x := range l.Contacts {
			found = append(found, described(x.ID, x.Name))
		}
		return found, err
	})
}
