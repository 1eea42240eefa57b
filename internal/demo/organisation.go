package demo

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"muster/examples"
)

// edits turn the example organisation into one that can be played in seconds: who is paged has a webhook, and hours become
// seconds. Each must find what it changes.
var edits = []struct{ file, old, new string }{
	{"people.yaml", `type: file, address: [a-z-]+\.jsonl`, "type: webhook, address: file:secrets/receiver, secret: file:secrets/signing"},
	{"parties.yaml", `type: file, address: [a-z-]+\.jsonl`, "type: webhook, address: file:secrets/receiver, secret: file:secrets/signing"},
	{"customers.yaml", `type: file, address: [a-z-]+\.jsonl`, "type: webhook, address: file:secrets/receiver, secret: file:secrets/signing"},
	{"organisation.yaml", `# own_networks: .*`, "own_networks: [127.0.0.1/32]"},
	{"schedules.yaml", `(?m)^    overrides:\n(      - .*\n)+`, ""}, // the second on-call must not be the first
	{"support-plans.yaml", `P1: \{respond: 15m, update: 30m, mitigate: 2h, resolve: 4h, result_report: 1d\}`, "P1: {respond: 20s, update: 5s, mitigate: 50s, resolve: 1m, result_report: 1d}"},
	{"escalation-policies.yaml", `(targets: \[schedule:primary\]), wait: 5m`, "$1, wait: 3s"},
	{"services.yaml", `quiet: 5m  `, "quiet: 2s  "},
	{"services.yaml", `reopen_within: 1d`, "reopen_within: 3s"},
	{"automatic-responses.yaml", `settle: \S+`, "settle: none"}, // its steps say whether it has worked
	{"automatic-responses.yaml", `per_hour: 2 `, "per_hour: 9 "},
	{"customers.yaml", `        windows: \[second-sunday\]\n        freezes: \[garam-year-end\]`, "        freezes: [garam-year-end]"},
	{"freezes.yaml", `\{from: 12-20, to: 01-05\}`, "{from: 01-01, to: 12-31}"}, // the shop is always busy
	{"freezes.yaml", `(?s)  - id: holidays\n.*$`, ""},                          // so that only one freeze holds the upgrade
}

// writeOrganisation writes the edited example to a folder, with the receiver's address and secret in files of their own.
func writeOrganisation(folder, receiver string) error {
	host := strings.TrimSuffix(strings.TrimPrefix(receiver, "http://"), "/hook")
	files := map[string]string{
		"secrets/receiver": receiver, "secrets/signing": secret, "runbooks/undo-shop.md": undoShop,
	}
	example, err := fs.Sub(examples.FS, "org")
	if err != nil {
		return fmt.Errorf("read example: %w", err)
	}
	err = fs.WalkDir(example, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := fs.ReadFile(example, name)
		files[name] = string(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("read example: %w", err)
	}
	delete(files, "routines.yaml") // an act of its own has one, and no deadline of an asset may begin beside it
	delete(files, "assets.yaml")
	files["runbooks/checkout-state.md"], files["runbooks/restart-one-checkout.md"] = lookAtServer, restartServer
	for _, e := range edits {
		re := regexp.MustCompile(e.old)
		if !re.MatchString(files[e.file]) {
			return fmt.Errorf("example %s has nothing like %q", e.file, e.old)
		}
		files[e.file] = re.ReplaceAllString(files[e.file], e.new)
	}
	files["organisation.yaml"] = strings.Replace(files["organisation.yaml"], "allow: [lb.mirnet.example", "allow: ["+strconv.Quote(host)+", lb.mirnet.example", 1)
	for name, content := range files {
		if strings.HasPrefix(name, "runbooks/") {
			content = strings.ReplaceAll(content, "//HOST/", "//"+host+"/")
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("make demo organisation: %w", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return fmt.Errorf("write demo organisation: %w", err)
		}
	}
	return nil
}

// alertBody is one of the example's webhook bodies as of now: its alerts began when the story did, and end now.
func alertBody(name, began string) ([]byte, error) {
	body, err := examples.FS.ReadFile("alerts/" + name)
	if err != nil {
		return nil, fmt.Errorf("read example: %w", err)
	}
	body = regexp.MustCompile(`"startsAt": "[^"]*"`).ReplaceAll(body, []byte(`"startsAt": "`+began+`"`))
	now := time.Now().UTC().Format(time.RFC3339Nano)
	return regexp.MustCompile(`"endsAt": "2[^"]*"`).ReplaceAll(body, []byte(`"endsAt": "`+now+`"`)), nil
}
