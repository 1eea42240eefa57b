package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/starter/api"
	"muster/starter/cli"
)

// An inbox that is watched is shown when it has changed, and a server that is away for a while is waited for.
func TestAnInboxIsWatched(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		box := api.Inbox{Items: []api.InboxItem{{Kind: api.InboxHandover, ID: "primary", Want: api.WantConfirm, Title: "Kim", Command: "muster oncall confirm primary"}}}
		switch asked++; asked {
		case 2:
			http.Error(w, "away", http.StatusBadGateway)
			return
		case 4:
			box.Items[0].ID, box.Items[0].Command = "night", "muster oncall confirm night"
		case 5:
			cancel()
		}
		_ = json.NewEncoder(w).Encode(box)
	}))
	defer s.Close()
	var out, said bytes.Buffer
	code := cli.Run(ctx, cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said, Home: t.TempDir(), Now: now, Texts: texts,
		Getenv: func(name string) string { return map[string]string{"MUSTER_TOKEN": "any"}[name] },
	}, []string{"inbox", "--watch", "--every", "1s", "--url", s.URL})
	if code != cli.OK || strings.Count(out.String(), "confirm primary") != 1 || strings.Count(out.String(), "confirm night") != 1 {
		t.Errorf("got code %d after %d looks:\n%s", code, asked, &out)
	}
	if strings.Count(said.String(), "waiting for it") != 1 {
		t.Errorf("it says %s", &said)
	}
}
