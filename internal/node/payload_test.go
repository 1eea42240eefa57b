package node_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/keyring"
	"muster/internal/node"
	"muster/starter/api"
)

// TestPayloadKeys shows which key encrypts, and answers as many payloads as one history has.
func TestPayloadKeys(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen, cfg.PayloadKeys = free(t), filepath.Join(t.TempDir(), "payload-keys.json")
	if err := node.Serve(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "muster keys payload new makes it") {
		t.Fatalf("without its file: got %v", err)
	}
	k, err := keyring.NewPayloads(cfg.PayloadKeys, time.Now())
	must(t, err)
	run(t, node.Serve, cfg)
	eventually(t, "serve listens", func() bool { return words.count("listens on") > 0 })
	base := "http://" + cfg.Listen
	if _, body := get(t, cfg.Data, base+"/readyz?verbose"); !strings.Contains(body, "[+]payload-keys ok, encrypts with "+k.ID+"\n") {
		t.Errorf("ready is %s", body)
	}
	token, err := os.ReadFile(filepath.Join(cfg.Data, api.AdminTokenFile))
	must(t, err)
	const payloads = 450 // more than one address may ask for anything else
	for n := range payloads {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+api.CodecPath+"decode", strings.NewReader(`{"payloads":[]}`))
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		r.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(r)
		must(t, err)
		must(t, got.Body.Close())
		if got.StatusCode != http.StatusOK {
			t.Fatalf("payload %d: got %d", n, got.StatusCode)
		}
	}
	must(t, os.Chmod(cfg.PayloadKeys, 0o644))
	must(t, os.Chtimes(cfg.PayloadKeys, time.Time{}, time.Now().Add(time.Second)))
	if got, body := get(t, cfg.Data, base+"/readyz?verbose"); got != 200 || !strings.Contains(body, "[-]payload-keys read keys "+cfg.PayloadKeys+": others may read it") {
		t.Errorf("ready is %d %s", got, body)
	}
}
