package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

// client is how a command finds its server.
type client struct {
	url, tokenFile, data, context string

	server string // where it was found …
	from   string // … and where the token was
}

// finding explains where a command finds its server and its token.
const finding = `The server is the first of: --url, MUSTER_URL, the context that --context or MUSTER_CONTEXT names, the current context (see
muster login), the muster dev or muster serve of this machine. The token is the first of: --token-file, MUSTER_TOKEN,
MUSTER_TOKEN_FILE, that of the context, that of the data folder. The last two are sent to their own server and to no other.
With --data, no context counts.`

func (a *app) clientFlags(cmd *cobra.Command) {
	a.serverFlags(cmd)
	cmd.PersistentFlags().StringVar(&a.client.tokenFile, "token-file", "",
		"`FILE` with your token; default: MUSTER_TOKEN, MUSTER_TOKEN_FILE, else that of the context or of muster dev")
}

// serverFlags are for commands that need no token.
func (a *app) serverFlags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&a.client.url, "url", "",
		"`URL` of the server; default: MUSTER_URL, else that of the context, else the muster dev of this machine")
	f.StringVar(&a.client.context, "context", "", "`NAME` of the context; default: MUSTER_CONTEXT, else the current one")
	_ = cmd.RegisterFlagCompletionFunc("context", a.completeContexts)
	a.dataFlag(cmd, &a.client.data)
}

// A site is the server that is meant.
type site struct {
	url    string
	local  bool  // it is the one that runs on the data folder
	chosen saved // the context that counts, even when the URL is another's; the zero one: none
	named  bool  // that context was asked for by its name
}

// site finds the server. The contexts are read only where they count.
func (a *app) site(needsToken bool) (s site, err error) {
	if a.client.context != "" && a.client.data != "" {
		return s, misused("--context, --data: want one of them: each names a server")
	}
	by := "--url"
	if s.url = a.client.url; s.url == "" {
		by, s.url = "MUSTER_URL", a.env.Getenv("MUSTER_URL")
	}
	if needsToken || s.url == "" || a.client.context != "" {
		if s.chosen, s.named, err = a.chosen(); err != nil {
			return s, fmt.Errorf("find server: %w", err)
		}
	}
	data := a.dataFolder(a.client.data)
	local, err := line(filepath.Join(data, api.URLFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("find server: %w", err)
	}
	if s.named && !needsToken && s.url != "" && !same(s.url, s.chosen.URL) {
		a.note("muster: the server is %s by %s, not that of context %s", s.url, by, s.chosen.Name)
	}
	if s.url = cmp.Or(s.url, s.chosen.URL, local); s.url == "" {
		return s, fmt.Errorf("find server: none runs here (no file %q in %s): "+
			"start muster dev, or give --url, MUSTER_URL or --context, or muster login URL", api.URLFile, data)
	}
	s.local, a.client.server = same(s.url, local), s.url
	return s, nil
}

// chosen is the context that counts, and whether it was asked for by its name. A data folder that was asked for leaves none.
func (a *app) chosen() (s saved, named bool, err error) {
	if a.client.data != "" {
		return s, false, nil
	}
	all, err := a.readContexts()
	if err != nil {
		return s, false, err
	}
	asked := cmp.Or(a.client.context, a.env.Getenv("MUSTER_CONTEXT"))
	name := cmp.Or(asked, all.Current)
	if name == "" {
		return s, false, nil
	}
	s, err = all.named(name)
	return s, asked != "", err
}

const wantURL = "want a URL such as https://muster.example"

// normal writes the URL of a server in one way. It is empty when it is none.
func normal(server string) string {
	_, err := api.NewClient(server, "")
	u, bad := url.Parse(server)
	if err != nil || bad != nil || u.Fragment != "" {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.EscapedPath(), "/")
}

// same tells whether two URLs are those of one server.
func same(a, b string) bool { return normal(a) != "" && normal(a) == normal(b) }

// connect makes a client with a token.
func (a *app) connect() (*api.Client, error) {
	token, err := a.givenToken()
	if err != nil {
		return nil, fmt.Errorf("find token: %w", err)
	}
	s, err := a.site(token == "")
	if err != nil {
		return nil, err
	}
	if token == "" {
		if token, err = a.belonging(s); err != nil {
			return nil, fmt.Errorf("find token for %s: %w", s.url, err)
		}
	}
	c, err := api.NewClient(s.url, token)
	if err != nil {
		return nil, fmt.Errorf("%w (from %s)", err, a.client.from)
	}
	return c, nil
}

// anonymous makes a client without a token, for what needs none.
func (a *app) anonymous() (*api.Client, error) {
	s, err := a.site(false)
	if err != nil {
		return nil, err
	}
	return api.NewClient(strings.TrimSuffix(s.url, "/readyz"), "") // as health checks of containers may write it
}

// givenToken is the token that a flag or the environment gives for whatever server is meant, empty when neither does.
func (a *app) givenToken() (string, error) {
	if token := strings.TrimSpace(a.env.Getenv("MUSTER_TOKEN")); token != "" && a.client.tokenFile == "" {
		a.client.from = "MUSTER_TOKEN"
		return token, nil
	}
	file := cmp.Or(a.client.tokenFile, a.env.Getenv("MUSTER_TOKEN_FILE"))
	if file == "" {
		return "", nil
	}
	return a.tokenIn(file)
}

const giveToken = "give --token-file, MUSTER_TOKEN or MUSTER_TOKEN_FILE"

// belonging is the token that belongs to a server. That of a context or of a data folder is sent nowhere else: whoever gives
// another URL, in a flag or in the environment of a script, does not get it.
func (a *app) belonging(s site) (string, error) {
	there := s.chosen.Name != ""
	switch {
	case there && same(s.url, s.chosen.URL):
		a.client.from = "context " + s.chosen.Name
		return string(s.chosen.Token), nil
	case s.local && !s.named:
		return a.tokenIn(filepath.Join(a.dataFolder(a.client.data), api.AdminTokenFile))
	case there:
		return "", fmt.Errorf("the token of context %s is for %s; %s", s.chosen.Name, s.chosen.URL, giveToken)
	}
	return "", errors.New("none: " + giveToken + ", or muster login " + s.url)
}

// tokenIn reads a file with a token.
func (a *app) tokenIn(file string) (string, error) {
	a.client.from = file
	token, err := line(file)
	if err == nil && token == "" {
		err = fmt.Errorf("%s: is empty", file)
	}
	return token, err
}

// line reads a file of one line.
func line(file string) (string, error) {
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// explain adds to an error of the API what its user can do.
func (a *app) explain(ctx context.Context, c *api.Client, err error) error {
	p, answered := errors.AsType[api.Refusal](err)
	_, away := errors.AsType[*api.UnreachableError](err)
	switch {
	case away:
		return fmt.Errorf("%w; is muster dev or muster serve running there?", err)
	case !answered:
		return err
	case p.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w (the token is from %s)", err, a.client.from)
	case p.Status == http.StatusForbidden:
		if me, unknown := c.Me(ctx); unknown == nil {
			return fmt.Errorf("%w (you are %s; the token is from %s)", err, who(me), a.client.from)
		}
	case p.Status == http.StatusTooManyRequests && p.RetryAfter > 0:
		return fmt.Errorf("%w (you may ask again in %s)", err, p.RetryAfter)
	case len(p.Errors) > 1:
		var all []error
		for _, f := range p.Errors {
			all = append(all, fmt.Errorf("%s: %s", f.Field, f.Detail))
		}
		return errors.Join(all...)
	}
	return err
}

// shows makes the work of a command that prints an answer: how it is to be shown is checked first.
func (a *app) shows(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.prepare(); err != nil {
			return err
		}
		a.began = true
		return work(cmd, args)
	}
}

// asks makes a command that needs a server out of what it does with it.
func (a *app) asks(work func(ctx context.Context, c *api.Client, args []string) error) func(*cobra.Command, []string) error {
	return a.shows(func(cmd *cobra.Command, args []string) error {
		c, err := a.connect()
		if err != nil {
			return err
		}
		a.me = sync.OnceValues(func() (api.Me, error) { return c.Me(cmd.Context()) })
		a.view.own = c.Language
		return a.explain(cmd.Context(), c, work(cmd.Context(), c, args))
	})
}

// zone is that of the organisation whose server was asked: empty, which is UTC, where it does not say.
func (a *app) zone() string {
	me, _ := a.me()
	return me.Zone
}

// dataFolder is where everything that stays is kept, unless a flag names another.
func (a *app) dataFolder(flag string) string {
	base := a.env.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(base) { // the specification wants others ignored
		base = filepath.Join(a.env.Home, ".local", "share")
	}
	return cmp.Or(flag, a.env.Getenv("MUSTER_DATA"), filepath.Join(base, "muster"))
}

func (a *app) dataFlag(cmd *cobra.Command, into *string) {
	cmd.PersistentFlags().StringVar(into, "data", "", "data `FOLDER`; default: MUSTER_DATA, else $XDG_DATA_HOME/muster, else ~/.local/share/muster")
	_ = cmd.MarkPersistentFlagDirname("data")
}
