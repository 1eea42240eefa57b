package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/authority"
	"muster/starter/api"
)

// The kinds of actors for whom tokens speak.
const (
	person  = "person"
	machine = "machine"
)

// aToken is in examples.
const aToken = "tok_7k3m9qx2pa"

// helpWidth is how many columns a line of a long list has in help.
const helpWidth = 110

func (a *app) token() *cobra.Command {
	group := &cobra.Command{
		Use: "token COMMAND", DisableFlagsInUseLine: true, GroupID: "access",
		Short: "Make, list and revoke tokens",
		Long: `Make, list and revoke the tokens with which people and machines are let in. Everybody makes and revokes their own; an
administrator those of everybody.

` + finding,
		Example: "  muster token create --label laptop\n  muster token list\n  muster token revoke " + aToken,
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.createToken(), a.listTokens(), a.revokeToken())
	return group
}

// A tokenOrder is what the flags of muster token create say.
type tokenOrder struct {
	api.NewToken
	roles, scopes []string
	expires       string
}

// check finds what no server would take.
func (o *tokenOrder) check(now time.Time) (err error) {
	switch {
	case o.Kind != person && o.Kind != machine:
		return misused("--kind %q: want %s or %s", o.Kind, person, machine)
	case o.Kind == machine && (o.Actor == "" || len(o.roles) == 0):
		return misused("--actor, --roles: want both for a machine: its id, and what it may")
	case o.Kind == person && (len(o.roles) > 0 || o.Name != ""):
		return misused("--roles, --name: those of a person stand in the organisation folder; for a machine, give --kind %s", machine)
	}
	if err := oneOf("--roles", o.roles, authority.Roles()); err != nil {
		return err
	}
	if err := oneOf("--scopes", o.scopes, authority.Verbs()); err != nil {
		return err
	}
	o.Roles, o.Scopes = strings.Join(o.roles, ","), strings.Join(o.scopes, ",")
	o.Expires, err = expiry(o.expires, now)
	return err
}

func oneOf[S ~string](flag string, given []string, known []S) error {
	for _, g := range given {
		if !slices.Contains(known, S(g)) {
			return misused("%s %q: want some of %s", flag, g, joined(known))
		}
	}
	return nil
}

// expiry is the instant that a flag means, as the API wants it; empty for never.
func expiry(given string, now time.Time) (string, error) {
	if given == "never" {
		return "", nil
	}
	until, err := time.Parse(time.RFC3339, given)
	if err != nil {
		var after time.Duration
		if after, err = lasting(given); err == nil {
			until = now.Add(after)
		}
	}
	if err != nil || !until.After(now) {
		return "", misused("--expires %q: want a time such as 90d or 12h, an instant to come such as 2027-01-31T00:00:00+09:00, or never",
			given)
	}
	return until.UTC().Format(time.RFC3339), nil
}

func (a *app) createToken() *cobra.Command {
	var o tokenOrder
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, once",
		Long: `Make a token and print it: nobody can read it again. It may what whoever it speaks for may, or less: --scopes narrows it.

A machine's token has roles of its own. Roles: ` + joined(authority.Roles()) + `.
Scopes: ` + text.WrapSoft(joined(authority.Verbs()), helpWidth) + `.`,
		Example: "  muster token create --label laptop\n  muster token create --actor kim --expires 30d >token.txt\n" +
			"  muster token create --actor deploy-bot --kind machine --roles responder --scopes read,note --expires never",
		Args: func(_ *cobra.Command, args []string) error {
			if err := o.check(a.env.Now()); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			t, err := c.CreateToken(ctx, o.NewToken)
			if err != nil {
				if passing(err) {
					a.note("muster: it may have been made: muster token list shows it")
				}
				return err
			}
			return a.answer(t, func(w io.Writer) {
				fmt.Fprintln(w, printable(t.Secret))
				a.note("%s", a.page(w, "", a.zone()).made(t))
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.Actor, "actor", "", "for whom it speaks: the `ID` of a person, or of a machine; default: you")
	f.StringVar(&o.Kind, "kind", person, "`KIND` of the actor: "+person+" or "+machine)
	f.StringSliceVar(&o.roles, "roles", nil, "`ROLES` of a machine, with commas between them")
	f.StringVar(&o.Name, "name", "", "`NAME` of a machine, as it is shown")
	f.StringVar(&o.Label, "label", "", "`TEXT`: what the token is for")
	f.StringSliceVar(&o.scopes, "scopes", nil, "narrow it to these `SCOPES`, with commas between them")
	f.StringVar(&o.expires, "expires", "90d", "good for this `TIME`, or until an instant, or never to expire")
	_ = cmd.RegisterFlagCompletionFunc("kind", completions([]string{person, machine}))
	_ = cmd.RegisterFlagCompletionFunc("roles", completions(authority.Roles()))
	_ = cmd.RegisterFlagCompletionFunc("scopes", completions(authority.Verbs()))
	return cmd
}

// made says which token was made, for whom and until when.
func (p page) made(t api.Token) string {
	whom := named(t.Name, t.Actor)
	if t.Expires.IsZero() {
		return fmt.Sprintf(p.say.madeForever, t.ID, whom)
	}
	return fmt.Sprintf(p.say.made, t.ID, whom, p.instant(t.Expires))
}

func (a *app) listTokens() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List tokens, the newest first",
		Long:    "List your tokens, the newest first; to an administrator, everybody's. What their holders show is kept nowhere.",
		Example: "  muster token list\n  muster token list -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			all, err := c.Tokens(ctx)
			if err != nil {
				return err
			}
			return a.answer(api.Tokens{Tokens: all}, func(w io.Writer) {
				if len(all) == 0 {
					a.none("no tokens", "토큰이 없습니다")
					return
				}
				a.page(w, "", a.zone()).tokens(all)
			})
		}),
	}
}

// tokens shows one row for each token.
func (p page) tokens(all []api.Token) {
	say := p.say
	rows := [][]string{p.head(say.token, say.actor, say.kind, say.status, say.until, say.used, say.roles, say.scopes, say.label)}
	for _, t := range all {
		until, used := say.never, say.never
		if !t.Expires.IsZero() {
			until = p.instant(t.Expires)
		}
		if !t.LastUsed.IsZero() {
			used = p.instant(t.LastUsed)
		}
		rows = append(rows, []string{
			printable(t.ID), printable(named(t.Name, t.Actor)), p.kind(string(t.Kind)), p.goodness(t), until, used,
			printable(strings.Join(t.Roles, ", ")), printable(strings.Join(t.Scopes, ", ")), printable(t.Label),
		})
	}
	p.rows(p.w, rows, cut)
}

// goodness tells whether a token still lets somebody in.
func (p page) goodness(t api.Token) string {
	switch {
	case !t.Revoked.IsZero():
		return p.paint(dim, p.say.revoked)
	case !t.Expires.IsZero() && !p.env.Now().Before(t.Expires):
		return p.paint(dim, p.say.expired)
	}
	return p.paint(green, p.say.good)
}

func (a *app) revokeToken() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke TOKEN",
		Short:   "Make a token worthless, at once and for good",
		Long:    "Make a token worthless, at once and for good. TOKEN is its id, as muster token list shows it.",
		Example: "  muster token revoke " + aToken,
		Args:    wants("TOKEN"),
		ValidArgsFunction: a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
			all, err := c.Tokens(ctx)
			for _, t := range all {
				if t.Revoked.IsZero() {
					found = append(found, described(t.ID, named(t.Name, t.Actor)+" "+t.Label))
				}
			}
			return found, err
		}),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			t, err := c.RevokeToken(ctx, args[0])
			if err != nil {
				return err
			}
			return a.answer(t, func(w io.Writer) {
				p := a.page(w, "", a.zone())
				fmt.Fprintln(w, printable(fmt.Sprintf(p.say.tokenRevoked, t.ID, named(t.Name, t.Actor), p.instant(t.Revoked))))
			})
		}),
	}
}
