package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"muster/internal/bundle"
)

// verify proves bundles of an archive as muster audit verify does: it reads the key and the log, then each file, checks its
// every byte and finds it in the log. The files lie in the system's cache; one core works.
func (b *bench) verify(ctx context.Context) error {
	folder, err := os.MkdirTemp(b.Folder, "archive-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	log := bundle.Folder(filepath.Join(folder, "log"))
	if err := os.Mkdir(string(log), 0o700); err != nil {
		return err
	}
	files, size, keys, err := archive(ctx, folder, log, b.pick(100, 4))
	if err != nil {
		return err
	}
	var rates []float64
	for range b.Rounds {
		began := start()
		l, err := bundle.Open(ctx, log, keys)
		if err != nil {
			return err
		}
		for _, file := range files {
			content, err := bundle.Load(file, bundle.MaxSize)
			if err != nil {
				return err
			}
			if _, err := bundle.Verify(file, content, l); err != nil {
				return err
			}
		}
		rates = append(rates, float64(len(files))/began.end().wall.Seconds())
	}
	const least = 200
	b.table.add(row{
		"verify", fmt.Sprintf("bundles of %d kB on average, against a log", size>>10), fmt.Sprintf("at least %d/s", least),
		fmt.Sprintf("%.0f/s", median(rates)), absolute, median(rates) >= least,
	})
	return nil
}

// archive writes bundles of 200 kB to 1 MB, as those of incidents and of plans are, and a log that has a file for each of
// them: nothing takes longer to read.
func archive(ctx context.Context, folder string, log bundle.Folder, n int) (files []string, average int, keys bundle.Keys, err error) {
	private, public, err := bundle.NewKey("bench")
	if err == nil {
		keys, err = bundle.ParseKeys("bench.pub", []byte(public))
	}
	if err != nil {
		return nil, 0, keys, err
	}
	l, random := bundle.New(keys), rand.New(rand.NewPCG(1, 2))
	for i := range n {
		name := fmt.Sprintf("INC-%d.tar", i)
		content, err := someBundle(random, i)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), content, 0o600)
		}
		if err == nil {
			_, err = l.Append(ctx, log, private, bundle.Of(bundle.OfBundle, name, content, time.Unix(0, 0), time.Unix(1, 0)))
		}
		if err != nil {
			return nil, 0, keys, err
		}
		files, average = append(files, filepath.Join(folder, name)), average+len(content)/n
	}
	return files, average, keys, nil
}

// someBundle is a bundle most of which is its histories, and a fifth its reports.
func someBundle(random *rand.Rand, n int) ([]byte, error) {
	size := 200<<10 + random.IntN(800<<10)
	text := func(share int) []byte {
		line := []byte(`{"eventId":"1","eventTime":"2026-11-26T12:00:00Z","eventType":"EVENT_TYPE_TIMER_FIRED"},` + "\n")
		return bytes.Repeat(line, size*share/100/len(line))
	}
	var out bytes.Buffer
	err := bundle.Write(&out, &bundle.Bundle{
		Facts: bundle.Facts{
			Workflow: fmt.Sprintf("incident/%d", n), Kind: "Incident", ID: fmt.Sprintf("INC-%d", n), FirstRun: "r", Runs: []string{"r"},
			Outcome: "closed", Started: time.Unix(0, 0), Closed: time.Unix(1, 0),
		},
		Parts: map[string][]byte{
			bundle.HistoriesPart: text(60), bundle.StatePart: text(10), bundle.TimelinePart: text(5), bundle.EvidencePart: text(1),
			bundle.KeysPart: text(1), "definitions/incident.json": text(3), "reports/incident-report.ko.html": text(10),
			"reports/incident-report.en.html": text(10),
		},
	})
	return out.Bytes(), err
}
