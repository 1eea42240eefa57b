package cli

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/encryption"
	"muster/internal/keyring"
)

// payloadKeyWords are the words of one language about payload keys.
type payloadKeyWords struct {
	key, status, from, encrypts, decrypts, coming string // a list
	made, keep, added                             string
}

func payloadKeyWordsIn(language string) payloadKeyWords {
	if language == "ko" {
		return payloadKeyWords{
			key: "키", status: "상태", from: "암호화 시작", encrypts: "암호화 중", decrypts: "복호화만", coming: "암호화 예정",
			made: "페이로드 키 %s: %s부터 암호화", added: "페이로드 키 %s: %s부터 암호화. 그때까지 모든 프로세스에 이 파일이 있어야 합니다",
			keep: "%s: 모든 프로세스에 --payload-keys로 지정하고 사본을 다른 곳에 보관하십시오. 이 파일이 없으면 암호화된 내용을 아무도 읽을 수 없습니다",
		}
	}
	return payloadKeyWords{
		key: "KEY", status: "STATUS", from: "ENCRYPTS FROM", encrypts: "encrypts", decrypts: "decrypts", coming: "to come",
		made: "payload key %s encrypts from %s", added: "payload key %s encrypts from %s; every process must have the file by then",
		keep: "%s: name it to all processes with --payload-keys, and keep a copy elsewhere; without it nobody reads what was encrypted",
	}
}

// A payloadKey is one without its secret.
type payloadKey struct {
	ID   string    `json:"id"`
	From time.Time `json:"from"`
}

const payloadKeysFile = "payload-keys.json" // in examples

func (a *app) payloadKeysGroup() *cobra.Command {
	group := &cobra.Command{
		Use: "payload COMMAND", DisableFlagsInUseLine: true,
		Short: "Make, add and list the keys that encrypt payloads",
		Long: `Make, add and list the keys that encrypt the payloads of workflows: what goes to Temporal, and the archive where it is encrypted, too.
They stand in a file that all processes have, and that no server hands out. The newest one encrypts; all of them decrypt.`,
		Example: "  muster keys payload new " + payloadKeysFile + "\n  muster serve --org ./org --payload-keys " + payloadKeysFile +
			"\n  muster keys payload rotate " + payloadKeysFile + " --in 1h",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.newPayloadKeys(), a.rotatePayloadKeys(), a.listPayloadKeys())
	return group
}

func (a *app) newPayloadKeys() *cobra.Command {
	return &cobra.Command{
		Use: "new FILE", Short: "Make a file with a key that encrypts at once",
		Long: `Make a file with a key that encrypts at once, readable for its owner alone. No file is overwritten. What was written before payloads were
encrypted stays readable.`,
		Example: "  muster keys payload new " + payloadKeysFile,
		Args:    wants("FILE"),
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			k, err := keyring.NewPayloads(args[0], a.env.Now())
			if err != nil {
				return err
			}
			say := payloadKeyWordsIn(a.language())
			return a.madePayloadKey(k, say.made, fmt.Sprintf(say.keep, args[0]))
		}),
	}
}

func (a *app) rotatePayloadKeys() *cobra.Command {
	var in time.Duration
	cmd := &cobra.Command{
		Use: "rotate FILE", Short: "Add a key, which encrypts when every process has read it",
		Long: `Add a key to a file, which encrypts a while later: by then every process must have it, also on machines to which the file is copied. None
of them has to be started anew. The keys before it stay: they decrypt what they have encrypted.`,
		Example: "  muster keys payload rotate " + payloadKeysFile + "\n  muster keys payload rotate " + payloadKeysFile + " --in 24h",
		Args: func(cmd *cobra.Command, args []string) error {
			if in < 0 {
				return misused("--in %s: want a time to come, such as %s", in, keyring.CopiedLead)
			}
			return wants("FILE")(cmd, args)
		},
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			k, err := keyring.RotatePayloads(args[0], a.env.Now().Add(in))
			if err != nil {
				return err
			}
			return a.madePayloadKey(k, payloadKeyWordsIn(a.language()).added)
		}),
	}
	lengthVar(cmd, &in, "in", keyring.CopiedLead, "`TIME` until the new key encrypts")
	return cmd
}

// madePayloadKey shows a key that was made, and what else there is to say.
func (a *app) madePayloadKey(k encryption.Key, said string, more ...string) error {
	return a.answer(payloadKey{k.ID, k.From}, func(w io.Writer) {
		lines(w, fmt.Sprintf(said, k.ID, a.page(w, "", "").instant(k.From)))
		for _, line := range more {
			lines(w, line)
		}
	})
}

func (a *app) listPayloadKeys() *cobra.Command {
	return &cobra.Command{
		Use: "list FILE", Aliases: []string{"ls"}, Short: "List the keys in a file, the oldest first",
		Example: "  muster keys payload list " + payloadKeysFile + "\n  muster keys payload list " + payloadKeysFile + " -o json",
		Args:    wants("FILE"),
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			r, err := keyring.ReadPayloads(args[0], a.env.Now)
			if err != nil {
				return err
			}
			newest, err := r.Newest()
			if err != nil {
				return err
			}
			all := []payloadKey{}
			for _, k := range r.Keys() {
				all = append(all, payloadKey{k.ID, k.From})
			}
			return a.answer(all, func(w io.Writer) { a.page(w, "", "").payloadKeys(all, newest.ID) })
		}),
	}
}

// payloadKeys shows one row for each.
func (p page) payloadKeys(all []payloadKey, newest string) {
	say := payloadKeyWordsIn(p.language)
	rows := [][]string{p.head(say.key, say.status, say.from)}
	at := slices.IndexFunc(all, func(k payloadKey) bool { return k.ID == newest })
	for n, k := range all {
		status := say.decrypts
		switch {
		case n == at:
			status = p.paint(green, say.encrypts)
		case n > at:
			status = say.coming
		}
		rows = append(rows, []string{printable(k.ID), status, p.instant(k.From)})
	}
	p.rows(p.w, rows, text.WrapSoft)
}
