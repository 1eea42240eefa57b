package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/keyring"
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

// vault makes a whole archive in a folder, with the bundles of an incident and of a run that goes on, which a census counts: vault KEY
// FOLDER. With "gap" after it, the census is of a run more, and another one is missing; with "absent" a bundle is. With "encrypted" and a
// file of payload keys, bundles are encrypted.
func vault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("want vault KEY FOLDER [gap|absent|encrypted FILE]")
	}
	var payloadKeys []string
	if len(args) > 3 {
		payloadKeys = args[3:]
	}
	ctx := context.Background()
	files, err := bucket.Open(ctx, ts.MkAbs(args[1]))
	ts.Check(err)
	keys, err := bundle.ParseKeys(args[0], []byte(ts.ReadFile(args[0]+".pub")))
	ts.Check(err)
	var records []bundle.Record
	keep := func(kind bundle.RecordKind, name string, content []byte) {
		ts.Check(files.Create(ctx, name, content))
		records = append(records, bundle.Of(kind, name, content, now(), now()))
	}
	census := bundle.Census{From: now().Add(-time.Hour), Until: now()}
	for _, f := range []bundle.Facts{
		{
			Workflow: "incident/a", Kind: "Incident", ID: "INC-1", FirstRun: "r1", Runs: []string{"r1"}, Customers: []string{"garam"}, Services: []string{"shop"},
			People: []string{"park"}, Priority: "P1", Outcome: "closed", Started: now().Add(-time.Hour), Closed: now().Add(-time.Minute), Code: []string{"c0de"},
		},
		{Workflow: "upgrade/a", Kind: "Upgrade", ID: "RUN-1", FirstRun: "r2", Runs: []string{"r2"}, Customers: []string{"nuri"}, Outcome: "running", Started: now().Add(-time.Hour)},
	} {
		b := bundle.Bundle{Facts: f, Parts: map[string][]byte{
			bundle.HistoriesPart: []byte("[]\n"), bundle.StatePart: []byte(`{"zone":"Asia/Seoul"}`), bundle.EvidencePart: []byte("[]\n"), bundle.KeysPart: []byte("[]\n"),
			bundle.TimelinePart: []byte(`[{"seq":1,"at":"2026-11-22T05:00:00Z","kind":"note","actor":{"kind":"person","id":"park","name":"박지훈"},"facts":[{"name":"text","value":"It is slow."}]},` +
				`{"seq":2,"at":"2026-11-22T05:01:00Z","kind":"all-clear.waived","actor":{"kind":"person","id":"park","name":"박지훈"},` +
				`"facts":[{"name":"customer","value":"Acme"},{"name":"reason","value":"Call 010-1234-5678."}]}]`),
		}}
		var content bytes.Buffer
		ts.Check(bundle.Write(&content, encrypted(ts, &b, payloadKeys)))
		name := "bundles/" + f.ID + "." + f.FirstRun + ".tar"
		keep(bundle.OfBundle, name, content.Bytes())
		if !f.Closed.IsZero() {
			census.Runs = append(census.Runs, bundle.Counted{Workflow: f.Workflow, Run: f.FirstRun, Kind: f.Kind, Closed: f.Closed, Bundle: name})
		}
	}
	if len(args) > 2 && args[2] == "gap" {
		census.Runs = append(census.Runs, bundle.Counted{Workflow: "incident/b", Run: "r3", Kind: "Incident", Closed: now(), Bundle: "bundles/lost.tar"})
		census.Missing = []bundle.Counted{{Workflow: "review/INC-1", Run: "r4", Kind: "Review", Closed: now(), Detail: "its history is past its retention"}}
		ts.Check(files.Create(ctx, "bundles/stray.tar", []byte("stray")))
	}
	name, text, err := census.Encode()
	ts.Check(err)
	keep(bundle.OfCensus, name, text)
	_, err = bundle.New(keys).Append(ctx, bucket.Part{Bucket: files, Folder: bundle.LogFolder, Most: bundle.MaxLogFile}, ts.ReadFile(args[0]+".key"), records...)
	ts.Check(err)
	if len(args) > 2 && args[2] == "absent" {
		ts.Check(os.Remove(filepath.Join(ts.MkAbs(args[1]), "bundles", "RUN-1.r2.tar")))
	}
}

// encrypted encrypts a bundle, where there is a file of payload keys.
func encrypted(ts *testscript.TestScript, b *bundle.Bundle, file []string) *bundle.Bundle {
	if len(file) == 0 {
		return b
	}
	ring, err := keyring.OpenPayloads(ts.MkAbs(file[0]), now)
	ts.Check(err)
	k, err := ring.Newest()
	ts.Check(err)
	b, err = b.Encrypted(k)
	ts.Check(err)
	return b
}

// states makes an archive of the states of a month, with its key beside it: states FOLDER [FILE], encrypted with the payload keys in a file.
func states(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("want states FOLDER [FILE]")
	}
	ctx, folder := context.Background(), ts.MkAbs(args[0])
	private, public, err := bundle.NewKey("archive.example.com")
	ts.Check(err)
	ts.Check(os.WriteFile(folder+".pub", []byte(public), 0o644))
	keys, err := bundle.ParseKeys(folder+".pub", []byte(public))
	ts.Check(err)
	files, err := bucket.Open(ctx, folder)
	ts.Check(err)
	found, err := filepath.Glob("../../internal/period/testdata/world/*.bundle.json")
	ts.Check(err)
	var records []bundle.Record
	for _, file := range found {
		text, err := os.ReadFile(file)
		ts.Check(err)
		var kept struct {
			Kind  string          `json:"kind"`
			State json.RawMessage `json:"state"`
		}
		ts.Check(json.Unmarshal(text, &kept))
		var told struct {
			Timeline struct {
				Entries json.RawMessage `json:"entries"`
			} `json:"timeline"`
		}
		ts.Check(json.Unmarshal(kept.State, &told))
		name := strings.TrimSuffix(filepath.Base(file), ".bundle.json")
		b := bundle.Bundle{
			Facts: bundle.Facts{Workflow: name, Kind: kept.Kind, ID: name, FirstRun: name, Runs: []string{name}, Outcome: "closed", Started: now(), Closed: now()},
			Parts: map[string][]byte{
				bundle.HistoriesPart: []byte("[]\n"), bundle.StatePart: kept.State, bundle.TimelinePart: append(told.Timeline.Entries, '\n'),
				bundle.EvidencePart: []byte("[]\n"), bundle.KeysPart: []byte("[]\n"),
			},
		}
		var content bytes.Buffer
		ts.Check(bundle.Write(&content, encrypted(ts, &b, args[1:])))
		in := bundle.BundlesFolder + "/" + name + ".tar"
		ts.Check(files.Create(ctx, in, content.Bytes()))
		records = append(records, bundle.Of(bundle.OfBundle, in, content.Bytes(), now(), now()))
	}
	_, err = bundle.New(keys).Append(ctx, bucket.Part{Bucket: files, Folder: bundle.LogFolder, Most: bundle.MaxLogFile}, private, records...)
	ts.Check(err)
}
