package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"muster/starter/api"
)

// An identity is for whom a token speaks, where it was found and which server says so.
type identity struct {
	api.Me
	Server    string `json:"server"`
	TokenFrom string `json:"token_from"`
}

func (a *app) whoami() *cobra.Command {
	cmd := &cobra.Command{
		Use: "whoami", GroupID: "access",
		Short:   "Show for whom you act, on which server, and what your token may",
		Long:    "Show for whom you act, on which server, and what your token may.\n\n" + finding,
		Example: "  muster whoami\n  muster whoami --context home -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			me, err := c.Me(ctx)
			if err != nil {
				return err
			}
			return a.identify(me)
		}),
	}
	a.clientFlags(cmd)
	a.viewFlags(cmd)
	return cmd
}

// identify prints who somebody is.
func (a *app) identify(me api.Me) error {
	shown := identity{Me: me, Server: a.client.server, TokenFrom: a.client.from}
	return a.answer(shown, func(w io.Writer) {
		p := a.page(w, "", "")
		f := facts{page: p}
		f.add(p.say.you, printable(named(me.Name, me.ID)))
		f.add(p.say.kind, p.kind(me.Kind))
		f.add(p.say.party, printable(party(me)))
		f.add(p.say.roles, joined(me.Roles))
		f.add(p.say.scopes, joined(me.Scopes))
		f.add(p.say.server, printable(shown.Server))
		f.add(p.say.tokenFrom, printable(shown.TokenFrom))
		p.rows(w, f.rows, text.WrapSoft)
	})
}

// kind is what an actor is, by the word of the API.
func (p page) kind(kind string) string {
	if kind == person {
		return p.say.human
	}
	return p.say.machine
}

func named(name, id string) string {
	if name == "" || name == id {
		return id
	}
	return name + " (" + id + ")"
}

func party(me api.Me) string {
	if me.Party == "" {
		return string(me.Of)
	}
	return named(me.Party, string(me.Of))
}

// who says who somebody is, for an error.
func who(me api.Me) string {
	out := named(me.Name, me.ID) + ", " + joined(me.Roles) + " of " + party(me)
	if len(me.Scopes) > 0 {
		out += ", with a token for nothing but " + joined(me.Scopes)
	}
	return out
}

func (a *app) login() *cobra.Command {
	var name, file string
	var insecure bool
	cmd := &cobra.Command{
		Use: "login URL", GroupID: "access",
		Short: "Keep a server and your token for it, as the current context",
		Long: `Ask a server for whom a token speaks, and keep both as a context, which is the current one from then on: commands find it by
themselves. The token is asked for on a terminal, else it is read from the standard input.

Contexts stand in $XDG_CONFIG_HOME/muster/contexts.yaml, else in ~/.config/muster/contexts.yaml, for your eyes alone. The
token of a context is sent to its own server and to no other.`,
		Example: "  muster login https://muster.example\n  muster login https://muster.example --name home --token-file token.txt\n" +
			"  pass muster | muster login https://muster.example",
		Args: func(_ *cobra.Command, args []string) error {
			if name != "" && !contextName.MatchString(name) {
				return misused("--name %q: %s", name, wantContextName)
			}
			return wants("URL")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			s, err := loginTo(args[0], name, insecure)
			if err == nil {
				err = a.enter(cmd.Context(), s, file)
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of the context; default: host and port of the URL")
	cmd.Flags().StringVar(&file, "token-file", "", "`FILE` with your token; default: ask, or the standard input")
	cmd.Flags().BoolVar(&insecure, "insecure", false, "send the token in clear text: http:// to another machine")
	a.viewFlags(cmd)
	return cmd
}

// loginTo is the context of a URL, without its token.
func loginTo(server, name string, insecure bool) (saved, error) {
	s := saved{URL: normal(server)}
	if s.URL == "" {
		return s, misused("URL: %s", wantURL) // not what was given: it may be the token
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return s, err
	}
	if u.Scheme != "https" && !insecure && !loopback(u.Hostname()) {
		return s, fmt.Errorf("log in to %s: the token would be sent in clear text: want https://, or --insecure in a network that you trust",
			s.URL)
	}
	host := strings.Trim(strings.NewReplacer("[", "", "]", "", ":", "-", "%", "-").Replace(u.Host), "-")
	if s.Name = cmp.Or(name, host); !contextName.MatchString(s.Name) {
		return s, misused("--name: missing; %q will not do: %s", s.Name, wantContextName)
	}
	return s, nil
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// enter keeps a context, once its server has let its token in.
func (a *app) enter(ctx context.Context, s saved, file string) error {
	if _, err := a.roomFor(s); err != nil {
		return err
	}
	token, err := a.askToken(ctx, s.URL, file)
	if err != nil {
		return fmt.Errorf("log in to %s: %w", s.URL, err)
	}
	c, err := api.NewClient(s.URL, token)
	if err != nil {
		return fmt.Errorf("log in to %s: %w (from %s)", s.URL, err, a.client.from)
	}
	me, err := c.Me(ctx)
	if err != nil {
		return a.explain(ctx, c, err)
	}
	all, err := a.roomFor(s) // another login may have ended while this one waited
	if err != nil {
		return err
	}
	s.Token = secret(token)
	all.Current, all.Contexts = s.Name, append(all.without(s.Name), s)
	if err := a.writeContexts(all); err != nil {
		return err
	}
	a.client.server, a.client.from = s.URL, "context "+s.Name
	a.note("context %s is the current one now", s.Name)
	return a.identify(me)
}

// roomFor returns the contexts, unless one of them has the name of a new one and another URL.
func (a *app) roomFor(s saved) (contexts, error) {
	all, err := a.readContexts()
	if err != nil {
		return all, err
	}
	if n := all.find(s.Name); n >= 0 && !same(all.Contexts[n].URL, s.URL) {
		return all, fmt.Errorf("log in to %s: context %s is for %s: give another --name, or muster logout %[2]s first",
			s.URL, s.Name, all.Contexts[n].URL)
	}
	return all, nil
}

// askToken reads a token from a file, from a terminal that does not show it, or from the standard input.
func (a *app) askToken(ctx context.Context, server, file string) (token string, err error) {
	if file != "" {
		token, err = a.tokenIn(file)
	} else {
		a.client.from = "the standard input"
		token, err = a.typedToken(ctx, server)
	}
	if err == nil && !bearer.MatchString(token) {
		err = fmt.Errorf("what %s holds is no token", a.client.from)
	}
	return token, err
}

// typedToken is the token on the standard input.
func (a *app) typedToken(ctx context.Context, server string) (string, error) {
	fd, ok := a.terminal()
	if !ok {
		const most = 4 << 10
		text, err := io.ReadAll(io.LimitReader(a.env.Stdin, most))
		return strings.TrimSpace(string(text)), err
	}
	fmt.Fprintf(a.env.Stderr, "Token for %s (it is not shown): ", printable(server))
	defer func() { fmt.Fprintln(a.env.Stderr) }()
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	text, err := typed(ctx, func() (string, error) {
		text, err := term.ReadPassword(fd)
		return string(text), err
	})
	if ctx.Err() != nil {
		err = errors.Join(err, term.Restore(fd, before)) // or the terminal would go on hiding what is typed
	}
	return strings.TrimSpace(text), err
}

// typed waits for what somebody types, until the command is told to stop.
func typed(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := read()
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// terminal is the descriptor of the standard input, when somebody sits at it.
func (a *app) terminal() (fd int, ok bool) {
	f, ok := a.env.Stdin.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

func (a *app) logout() *cobra.Command {
	return &cobra.Command{
		Use: "logout [NAME]", GroupID: "access",
		Short: "Forget a context and its token",
		Long: `Forget a context and its token: the current one, if no other is named. The token itself stays good; muster token revoke ends
it.`,
		Example: "  muster logout\n  muster logout home",
		Args:    atMostOne("NAME"), ValidArgsFunction: first(a.completeContexts),
		RunE: a.does(func(_ *cobra.Command, args []string) error {
			all, err := a.readContexts()
			if err != nil {
				return err
			}
			name := all.Current
			if len(args) > 0 {
				name = args[0]
			}
			if name == "" {
				return errors.New("log out: no context is the current one: want its NAME")
			}
			s, err := all.named(name)
			if err != nil {
				return fmt.Errorf("log out: %w", err)
			}
			all.Contexts = all.without(name)
			if all.Current == name {
				all.Current = ""
			}
			if err := a.writeContexts(all); err != nil {
				return err
			}
			a.note("context %s is forgotten; its token is still good at %s: muster token revoke ends it", s.Name, s.URL)
			return nil
		}),
	}
}

// atMostOne wants one argument or none.
func atMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return wants(name)(cmd, args)
	}
}

func (a *app) context() *cobra.Command {
	group := &cobra.Command{
		Use: "context COMMAND", DisableFlagsInUseLine: true, GroupID: "access",
		Short:   "List the servers that you have logged in to, and choose one",
		Long:    "List the servers that you have logged in to, and choose one.\n\n" + finding,
		Example: "  muster context list\n  muster context use home",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.contextList(), a.contextUse())
	return group
}

func (a *app) contextList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List contexts",
		Long:    "List the contexts, and mark the current one. Their tokens are not shown.",
		Example: "  muster context list\n  muster context list -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(*cobra.Command, []string) error {
			all, err := a.readContexts()
			if err != nil {
				return err
			}
			return a.listContexts(all)
		}),
	}
	a.viewFlags(cmd)
	return cmd
}

func (a *app) contextUse() *cobra.Command {
	return &cobra.Command{
		Use:     "use NAME",
		Short:   "Make a context the current one",
		Long:    "Make a context the current one: commands ask its server unless they are told another.",
		Example: "  muster context use home",
		Args:    wants("NAME"), ValidArgsFunction: first(a.completeContexts),
		RunE: a.does(func(_ *cobra.Command, args []string) error {
			all, err := a.readContexts()
			if err != nil {
				return err
			}
			s, err := all.named(args[0])
			if err != nil {
				return err
			}
			all.Current = s.Name
			if err := a.writeContexts(all); err != nil {
				return err
			}
			a.note("context %s is the current one now: %s", s.Name, s.URL)
			return nil
		}),
	}
}

// listContexts prints contexts without their tokens.
func (a *app) listContexts(all contexts) error {
	type listed struct {
		Name    string `json:"name"`
		URL     string `json:"url"`
		Current bool   `json:"current"`
	}
	shown := struct {
		Contexts []listed `json:"contexts"`
	}{Contexts: []listed{}}
	for _, s := range all.Contexts {
		shown.Contexts = append(shown.Contexts, listed{s.Name, s.URL, s.Name == all.Current})
	}
	return a.answer(shown, func(w io.Writer) {
		if len(shown.Contexts) == 0 {
			a.note("no contexts: muster login URL makes one")
			return
		}
		p := a.page(w, "", "")
		rows := [][]string{p.head(p.say.context, p.say.current, p.say.server)}
		for _, c := range shown.Contexts {
			mark := ""
			if c.Current {
				mark = "*"
			}
			rows = append(rows, []string{c.Name, mark, printable(c.URL)})
		}
		p.rows(w, rows, cut)
	})
}

// completeContexts completes the name of a context.
func (a *app) completeContexts(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all, err := a.readContexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	for _, s := range all.Contexts {
		found = append(found, cobra.CompletionWithDesc(s.Name, s.URL))
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
