package cli

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

// aKey is in examples.
const aKey = "key-5f0c9a71e2d4"

func (a *app) keys() *cobra.Command {
	group := &cobra.Command{
		Use: "keys COMMAND", DisableFlagsInUseLine: true, GroupID: "access",
		Short: "List, rotate and revoke the keys that sign what goes to workflows, and make those that encrypt it",
		Long: `List, rotate and revoke the keys with which the installation signs what goes to workflows, and the links in messages. The
newest one signs; all of them verify. Private halves never leave the server. The keys that encrypt are in a file: muster keys payload.
Where processes share no folder, those that sign are in one too: muster keys signing.

` + finding,
		Example: "  muster keys list\n  muster keys rotate\n  muster keys revoke " + aKey + "\n  muster keys payload new " + payloadKeysFile,
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.viewFlags(group)
	for _, cmd := range []*cobra.Command{a.listKeys(), a.rotateKeys(), a.revokeKey()} {
		a.clientFlags(cmd)
		group.AddCommand(cmd)
	}
	group.AddCommand(a.payloadKeysGroup(), a.signingKeysGroup())
	return group
}

func (a *app) listKeys() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the keys, the oldest first",
		Example: "  muster keys list\n  muster keys list -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			all, err := c.Keys(ctx)
			if err != nil {
				return err
			}
			return a.answer(api.KeyList{Keys: all}, func(w io.Writer) { a.page(w, "", a.zone()).keys(all) })
		}),
	}
}

// keys shows one row for each key.
func (p page) keys(all []api.Key) {
	now := p.env.Now()
	signs := func(k api.Key) bool { return k.Revoked.IsZero() && !k.From.After(now) }
	newest := -1
	for n, k := range all {
		if signs(k) {
			newest = n
		}
	}
	rows := [][]string{p.head(p.say.key, p.say.status, p.say.signsFrom, p.say.revokedAt, p.say.public)}
	for n, k := range all {
		status, revoked := p.say.verifies, ""
		switch {
		case !k.Revoked.IsZero():
			status, revoked = p.paint(dim, p.say.revoked), p.instant(k.Revoked)
		case n == newest:
			status = p.paint(green, p.say.signs)
		case !signs(k):
			status = p.say.coming
		}
		rows = append(rows, []string{printable(k.ID), status, p.instant(k.From), revoked, base64.StdEncoding.EncodeToString(k.Public)})
	}
	p.rows(p.w, rows, cut)
}

func (a *app) rotateKeys() *cobra.Command {
	return &cobra.Command{
		Use:     "rotate",
		Short:   "Add a key, which signs as soon as every process has read it",
		Long:    "Add a key, which signs as soon as every process has read it. The keys before it go on verifying what they have signed.",
		Example: "  muster keys rotate",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			k, err := c.RotateKeys(ctx)
			if err != nil {
				if passing(err) {
					a.note("muster: it may have been made: muster keys list shows it")
				}
				return err
			}
			return a.answer(k, func(w io.Writer) {
				p := a.page(w, "", a.zone())
				fmt.Fprintln(w, printable(fmt.Sprintf(p.say.rotated, k.ID, p.instant(k.From))))
			})
		}),
	}
}

func (a *app) revokeKey() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "revoke KEY",
		Short: "Make what a key has signed worthless, where nobody has taken it yet",
		Long: `Make what a key has signed worthless, where nobody has taken it yet: links in messages, and what is on its way to workflows.
What was taken before stays true. It cannot be undone. Rotate first: the last key that signs is not revoked.

You are asked on a terminal whether you mean it. Elsewhere --yes is needed.`,
		Example: "  muster keys revoke " + aKey + "\n  muster keys revoke " + aKey + " --yes",
		Args:    wants("KEY"),
		ValidArgsFunction: a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
			all, err := c.Keys(ctx)
			for _, k := range all {
				if k.Revoked.IsZero() {
					found = append(found, described(k.ID, k.From.UTC().Format(time.RFC3339)))
				}
			}
			return found, err
		}),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			all, err := c.Keys(ctx)
			if err != nil {
				return err
			}
			if err := a.confirmRevoking(ctx, yes, args[0], all); err != nil {
				return err
			}
			k, err := c.RevokeKey(ctx, args[0])
			if err != nil {
				return err
			}
			return a.answer(k, func(w io.Writer) {
				p := a.page(w, "", a.zone())
				fmt.Fprintln(w, printable(fmt.Sprintf(p.say.keyRevoked, k.ID, p.instant(k.Revoked))))
			})
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

// confirmRevoking says what it means to revoke a key, if there is such a one, and asks whether it is meant.
func (a *app) confirmRevoking(ctx context.Context, yes bool, id string, all []api.Key) error {
	if !slices.ContainsFunc(all, func(k api.Key) bool { return k.ID == id }) {
		return fmt.Errorf("revoke key %s: no such key", id)
	}
	say := labelsIn(a.language())
	a.note(say.revoking, id)
	if err := a.confirm(ctx, yes, say.sure); err != nil {
		return fmt.Errorf("revoke key %s: %w", id, err)
	}
	return nil
}

func yesFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "yes", false, "do not ask")
}

// confirm asks on a terminal whether something is meant, unless that was said already.
func (a *app) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if _, ok := a.terminal(); !ok {
		return misused("--yes: missing; there is no terminal on which you could be asked")
	}
	fmt.Fprint(a.env.Stderr, question, " ")
	said, err := typed(ctx, func() (string, error) { return bufio.NewReader(a.env.Stdin).ReadString('\n') })
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(said) != "yes" {
		return errors.New("you did not say yes: nothing was done")
	}
	return nil
}
