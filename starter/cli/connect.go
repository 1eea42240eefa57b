package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

// client is how a command finds its server.
type client struct {
	url, tokenFile, data string

	from string // where the token was found
}

func (a *app) clientFlags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&a.client.url, "url", "", "`URL` of the server; default: MUSTER_URL, else the muster dev of this machine")
	f.StringVar(&a.client.tokenFile, "token-file", "", "`FILE` with your token; default: MUSTER_TOKEN, MUSTER_TOKEN_FILE, else that of muster dev")
	a.dataFlag(cmd, &a.client.data)
}

// server is the URL of the server that is meant, and whether it is the one that runs on the data folder.
func (a *app) server() (url string, own bool, err error) {
	data := a.dataFolder(a.client.data)
	local, err := line(filepath.Join(data, api.URLFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("find server: %w", err)
	}
	url = cmp.Or(a.client.url, a.env.Getenv("MUSTER_URL"), local)
	if url == "" {
		return "", false, fmt.Errorf("find server: none runs here (no file %q in %s): start muster dev, or give --url or MUSTER_URL", api.URLFile, data)
	}
	return url, url == local, nil
}

// connect makes a client with a token. The token of a data folder is only for the server of that folder.
func (a *app) connect() (*api.Client, error) {
	url, own, err := a.server()
	if err != nil {
		return nil, err
	}
	token, err := a.findToken(own)
	if err != nil {
		return nil, fmt.Errorf("find token for %s: %w", url, err)
	}
	c, err := api.NewClient(url, token)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, a.client.from)
	}
	return c, nil
}

// anonymous makes a client without a token, for what needs none.
func (a *app) anonymous() (*api.Client, error) {
	url, _, err := a.server()
	if err != nil {
		return nil, err
	}
	return api.NewClient(strings.TrimSuffix(url, "/readyz"), "") // as health checks of containers may write it
}

func (a *app) findToken(own bool) (string, error) {
	file := a.client.tokenFile
	if file == "" {
		if token := strings.TrimSpace(a.env.Getenv("MUSTER_TOKEN")); token != "" {
			a.client.from = "from MUSTER_TOKEN"
			return token, nil
		}
		file = a.env.Getenv("MUSTER_TOKEN_FILE")
	}
	if file == "" && own {
		file = filepath.Join(a.dataFolder(a.client.data), api.AdminTokenFile)
	}
	if file == "" {
		return "", errors.New("none: give --token-file, MUSTER_TOKEN or MUSTER_TOKEN_FILE")
	}
	a.client.from = "from " + file
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
func (a *app) explain(err error) error {
	var p api.Problem
	var away *api.UnreachableError
	switch {
	case errors.As(err, &away):
		return fmt.Errorf("%w; is muster dev or muster serve running there?", err)
	case !errors.As(err, &p):
		return err
	case p.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w (the token is %s)", err, a.client.from)
	case len(p.Errors) > 1:
		var all []error
		for _, f := range p.Errors {
			all = append(all, fmt.Errorf("%s: %s", f.Field, f.Detail))
		}
		return errors.Join(all...)
	}
	return err
}

// asks makes a command that needs a server out of what it does with it.
func (a *app) asks(work func(ctx context.Context, c *api.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.prepare(); err != nil {
			return err
		}
		a.began = true
		c, err := a.connect()
		if err != nil {
			return err
		}
		return a.explain(work(cmd.Context(), c, args))
	}
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
