package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// A sentBy is who is behind one message that a run was sent.
type sentBy struct {
	At      time.Time      `json:"at"`
	Message string         `json:"message"`
	By      timeline.Actor `json:"by"`
	Via     string         `json:"via,omitempty"`
	Taken   bool           `json:"taken"`           // by the run
	Fault   string         `json:"fault,omitempty"` // why it proves nobody

	err error
}

// An acted file is what the signatures in it have come to.
type acted struct {
	File     string   `json:"file"`
	Messages []sentBy `json:"messages"`
	Taken    int      `json:"taken"`
	Proven   int      `json:"proven"` // of those taken
}

// actorWords are the words of one language about who has acted.
type actorWords struct {
	when, message, who, how, signed, not, untaken, sum, own string

	unsigned, noKey, revoked, forged string // why something proves nobody; empty: as it is
}

// why says why a message proves nobody.
func (say actorWords) why(m sentBy) string {
	for _, is := range []struct {
		err  error
		said string
	}{{audit.ErrUnsigned, say.unsigned}, {audit.ErrNoKey, say.noKey}, {audit.ErrRevoked, say.revoked}, {signature.ErrForged, say.forged}} {
		if is.said != "" && errors.Is(m.err, is.err) {
			return is.said
		}
	}
	return m.Fault
}

func actorWordsIn(language string) actorWords {
	if language == "ko" {
		return actorWords{
			when: "일시", message: "메시지", who: "처리자", how: "증명", signed: "서명됨, %s", not: "증명되지 않음: %s", untaken: "실행이 받아들이지 않음: %s",
			sum:      "%s: 받아들인 메시지 %d건 중 %d건 증명됨, 받아들이지 않은 메시지 %d건",
			unsigned: "서명 없음", noKey: "주어진 키 중에 서명 키가 없음", revoked: "서명 키가 그 전에 폐기됨", forged: "서명이 내용과 맞지 않음",
			own: "%s: 번들에 든 공개 키로 확인함. 번들 자체는 muster audit verify --log로 증명됩니다.",
		}
	}
	return actorWords{
		when: "WHEN", message: "MESSAGE", who: "WHO", how: "PROOF", signed: "signed, by %s", not: "NOT PROVEN: %s", untaken: "not taken by the run: %s",
		sum: "%s: %d message(|s) (was|were) taken, %d of them proven; %d (was|were) not taken",
		own: "%s: checked by the public keys in the bundle, which muster audit verify --log proves",
	}
}

func (a *app) auditActors() *cobra.Command {
	var v vault
	keys := ""
	cmd := &cobra.Command{
		Use:   "actors " + recordArgument + " [--keys FILE]",
		Short: "Check who is behind everything that was asked in recorded histories",
		Long: `Check the signatures in the histories of a bundle, of all that an archive has of an ID, or that muster incident history has exported:
of every message that their runs were sent, who sent it and how that was known. It needs the public keys of the installation and nothing
else: those in a bundle, or those in a file. It fails where a message was not signed by the installation for this actor, this run and these
words.`,
		Example: "  muster audit actors " + anID + ".tar\n  muster incident history " + anID + " --file " + anID + ".json\n" +
			"  muster keys list -o json > keys.json\n  muster audit actors " + anID + ".json --keys keys.json",
		Args: wants(recordArgument), DisableFlagsInUseLine: true,
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			all, faults := a.actedIn(cmd.Context(), v, args[0], keys)
			return errors.Join(a.answer(append([]acted{}, all...), func(w io.Writer) {
				for _, x := range all {
					a.page(w, "", "").acted(x)
				}
			}), faults)
		}),
	}
	cmd.Flags().StringVar(&keys, "keys", "", "`FILE` with the public keys, as muster keys list -o json writes it; default: those in the bundle")
	_ = cmd.MarkFlagFilename("keys", "json")
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

// actedIn checks the signatures of what a file holds, or an archive of an ID.
func (a *app) actedIn(ctx context.Context, v vault, what, keys string) (all []acted, err error) {
	found, err := a.keptOf(ctx, v, what)
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, k := range found {
		known := []byte(k.Keys)
		switch {
		case keys != "":
			if known, err = bundle.Load(keys, mostKey); err != nil {
				return nil, fmt.Errorf("read public keys: %w", err)
			}
		case known == nil:
			return nil, misused("--keys: missing; it names a file with the public keys, which muster keys list -o json > keys.json writes")
		default:
			a.note(actorWordsIn(a.language()).own, k.file)
		}
		public, err := audit.DecodeKeys(bytes.NewReader(known))
		var verdicts []audit.Verdict
		if err == nil {
			verdicts, err = audit.Actors(k.Runs, public)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", k.file, err))
			continue
		}
		x := actedBy(k.file, verdicts)
		if all = append(all, x); x.Taken == 0 {
			faults = append(faults, fmt.Errorf("%s: nobody has started it", k.file))
		} else if bad := x.Taken - x.Proven; bad > 0 {
			faults = append(faults, errors.New(numbered("%s: %d message(|s) (proves|prove) nobody", k.file, bad)))
		}
	}
	return all, errors.Join(faults...)
}

func actedBy(file string, verdicts []audit.Verdict) acted {
	x := acted{File: file, Messages: []sentBy{}}
	for _, v := range verdicts {
		m := sentBy{At: v.At, Message: v.Message, By: v.By, Via: v.Via, Taken: !v.Refused}
		if v.Err != nil {
			m.Fault, m.err = v.Err.Error(), v.Err
		}
		if m.Taken {
			x.Taken++
		}
		if m.Taken && v.Err == nil {
			x.Proven++
		}
		x.Messages = append(x.Messages, m)
	}
	return x
}

// acted shows one row for each message.
func (p page) acted(x acted) {
	say := actorWordsIn(p.language)
	rows := [][]string{p.head(say.when, say.message, say.who, say.how)}
	for _, m := range x.Messages {
		how := fmt.Sprintf(say.signed, m.Via)
		switch {
		case !m.Taken:
			how = fmt.Sprintf(say.untaken, say.why(m))
		case m.Fault != "":
			how = fmt.Sprintf(say.not, say.why(m))
		}
		rows = append(rows, []string{p.instant(m.At), printable(m.Message), printable(string(m.By.Kind) + " " + m.By.ID), printable(how)})
	}
	p.rows(p.w, rows, text.WrapSoft)
	lines(p.w, numbered(say.sum, x.File, x.Taken, x.Proven, len(x.Messages)-x.Taken))
}
