package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/bundle"
)

// archive puts bundles of incidents into the folder archive, and records of them into its log: archive KEY INC-1 INC-2. What
// begins with census is no bundle.
func archive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("want archive KEY ID...")
	}
	folder, log := ts.MkAbs("archive"), bundle.Folder(ts.MkAbs("archive/log"))
	ts.Check(os.MkdirAll(string(log), 0o755))
	keys, err := bundle.ParseKeys(args[0], []byte(ts.ReadFile(args[0]+".pub")))
	ts.Check(err)
	var records []bundle.Record
	for _, id := range args[1:] {
		name, kind, content := id+".tar", bundle.OfBundle, exampleBundle(ts, id)
		if strings.HasPrefix(id, "census") {
			name, kind, content = id+".json", bundle.OfCensus, []byte("{\"runs\":[]}\n")
		}
		ts.Check(os.WriteFile(filepath.Join(folder, name), content, 0o644))
		records = append(records, bundle.Of(kind, name, content, now(), now()))
	}
	l, err := bundle.Open(context.Background(), log, keys)
	if errors.Is(err, bundle.ErrNoLog) {
		l, err = bundle.New(keys), nil
	}
	ts.Check(err)
	_, err = l.Append(context.Background(), log, ts.ReadFile(args[0]+".key"), records...)
	ts.Check(err)
}

func exampleBundle(ts *testscript.TestScript, id string) []byte {
	b := bundle.Bundle{
		Facts: bundle.Facts{
			Workflow: "incident/" + id, Kind: "Incident", ID: id, FirstRun: "r1", Runs: []string{"r1"}, Customers: []string{"garam"},
			Priority: "P1", Outcome: "resolved", Started: now(), Closed: now(),
		},
		Parts: map[string][]byte{},
	}
	for _, name := range []string{bundle.HistoriesPart, bundle.StatePart, bundle.TimelinePart, bundle.EvidencePart, bundle.KeysPart} {
		b.Parts[name] = []byte("[]\n")
	}
	var file bytes.Buffer
	ts.Check(bundle.Write(&file, &b))
	return file.Bytes()
}

// poke changes one byte in the middle of a file, in a bundle one of its last part: poke FILE.
func poke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("want poke FILE")
	}
	content := []byte(ts.ReadFile(args[0]))
	at := bytes.LastIndex(content, []byte("[]\n"))
	if at < 0 {
		at = len(content) / 2
	}
	content[at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o644))
}
