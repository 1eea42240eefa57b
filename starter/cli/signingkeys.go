package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/keyring"
	"muster/starter/api"
)

// signingKeyWords are the words of one language about files of keys that sign.
type signingKeyWords struct{ made, keep, added, revoked string }

func signingKeyWordsIn(language string) signingKeyWords {
	if language == "ko" {
		return signingKeyWords{
			made: "키 %s: %s부터 서명", added: "키 %s: %s부터 서명. 그때까지 모든 프로세스에 이 파일이 있어야 합니다",
			revoked: "키 %s: %s에 폐기됨. 이 파일을 읽은 프로세스부터 적용됩니다",
			keep:    "%s: 모든 프로세스에 --keys로 지정하고 사본을 다른 곳에 보관하십시오. 이 파일이 없으면 진행 중인 인시던트에 아무도 조치할 수 없습니다",
		}
	}
	return signingKeyWords{
		made: "key %s signs from %s", added: "key %s signs from %s; every process must have the file by then",
		revoked: "key %s: revoked at %s, for each process as soon as it has read the file",
		keep:    "%s: name it to all processes with --keys, and keep a copy elsewhere; without it nobody acts on what is under way",
	}
}

const signingKeysFile = "keys.json" // in examples

func (a *app) signingKeysGroup() *cobra.Command {
	group := &cobra.Command{
		Use: "signing COMMAND", DisableFlagsInUseLine: true,
		Short: "Make, change and list a file of the keys that sign, which is copied to all processes",
		Long: `Make, change and list a file of the keys that sign what goes to workflows. It needs no server: it is for processes that have no folder in
common, to which you copy the file, such as a Secret of Kubernetes. Where they share a data folder, muster serve makes the file, and
muster keys rotate and revoke change it.`,
		Example: "  muster keys signing new " + signingKeysFile + "\n  muster serve --org ./org --keys " + signingKeysFile +
			"\n  muster keys signing rotate " + signingKeysFile + " --in 1h",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.newSigningKeys(), a.rotateSigningKeys(), a.revokeSigningKey(), a.listSigningKeys())
	return group
}

func (a *app) newSigningKeys() *cobra.Command {
	return &cobra.Command{
		Use: "new FILE", Short: "Make a file with a key that signs at once",
		Long:    "Make a file with a key that signs at once, readable for its owner alone. No file is overwritten.",
		Example: "  muster keys signing new " + signingKeysFile,
		Args:    wants("FILE"),
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			k, err := keyring.New(args[0], a.env.Now())
			if err != nil {
				return err
			}
			say := signingKeyWordsIn(a.language())
			return a.changedSigningKey(k, say.made, k.From, fmt.Sprintf(say.keep, args[0]))
		}),
	}
}

func (a *app) rotateSigningKeys() *cobra.Command {
	var in time.Duration
	cmd := &cobra.Command{
		Use: "rotate FILE", Short: "Add a key, which signs when every process has read it",
		Long: `Add a key to a file, which signs a while later: by then every process must have it. None of them has to be started anew. The keys
before it stay: they verify what they have signed.`,
		Example: "  muster keys signing rotate " + signingKeysFile + "\n  muster keys signing rotate " + signingKeysFile + " --in 24h",
		Args: func(cmd *cobra.Command, args []string) error {
			if in < 0 {
				return misused("--in %s: want a time to come, such as %s", in, keyring.CopiedLead)
			}
			return wants("FILE")(cmd, args)
		},
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			k, err := keyring.Rotate(args[0], a.env.Now().Add(in))
			if err != nil {
				return err
			}
			return a.changedSigningKey(k, signingKeyWordsIn(a.language()).added, k.From)
		}),
	}
	lengthVar(cmd, &in, "in", keyring.CopiedLead, "`TIME` until the new key signs")
	return cmd
}

func (a *app) revokeSigningKey() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke FILE KEY", Short: "Make what a key has signed worthless, where nobody has taken it yet",
		Long: `Make what a key has signed worthless, where nobody has taken it yet: links in messages, and what is on its way to workflows. What was
taken before stays true. It cannot be undone. Rotate first: the last key that signs is not revoked.

You are asked on a terminal whether you mean it. Elsewhere --yes is needed.`,
		Example: "  muster keys signing revoke " + signingKeysFile + " " + aKey + "\n  muster keys signing revoke " + signingKeysFile + " " + aKey + " --yes",
		Args:    wants("FILE", "KEY"),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			all, err := signingKeysIn(args[0])
			if err != nil {
				return err
			}
			if err := a.confirmRevoking(cmd.Context(), yes, args[1], all); err != nil {
				return err
			}
			k, err := keyring.Revoke(args[0], args[1], a.env.Now())
			if err != nil {
				return err
			}
			return a.changedSigningKey(k, signingKeyWordsIn(a.language()).revoked, k.Revoked)
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

func (a *app) listSigningKeys() *cobra.Command {
	return &cobra.Command{
		Use: "list FILE", Aliases: []string{"ls"}, Short: "List the keys in a file, the oldest first",
		Example: "  muster keys signing list " + signingKeysFile + "\n  muster keys signing list " + signingKeysFile + " -o json",
		Args:    wants("FILE"),
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			all, err := signingKeysIn(args[0])
			if err != nil {
				return err
			}
			return a.answer(api.KeyList{Keys: all}, func(w io.Writer) { a.page(w, "", "").keys(all) })
		}),
	}
}

// signingKeysIn are the keys in a file without their private halves, the oldest first.
func signingKeysIn(file string) ([]api.Key, error) {
	keys, err := keyring.Read(file)
	all := make([]api.Key, 0, len(keys))
	for _, k := range keys {
		all = append(all, api.Key{ID: k.ID, Public: k.Public, From: k.From, Revoked: k.Revoked})
	}
	return all, err
}

// changedSigningKey shows a key that was made or revoked, what is said of it and the instant, and what else there is to say.
func (a *app) changedSigningKey(k keyring.Key, said string, at time.Time, more ...string) error {
	return a.answer(api.Key{ID: k.ID, Public: k.Public, From: k.From, Revoked: k.Revoked}, func(w io.Writer) {
		lines(w, fmt.Sprintf(said, k.ID, a.page(w, "", "").instant(at)))
		for _, line := range more {
			lines(w, line)
		}
	})
}
