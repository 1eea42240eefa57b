package acceptance_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"muster/internal/devserver"
	"muster/internal/reach"
	"muster/worker"
	"muster/workflows"
)

// The life of the ledger of contacts: test pages that are refused, and then arrive, of somebody who is away, and what goes on in the next run.
func TestContactHistoriesAsRecorded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it plays a whole life")
	}
	sink := newReceiver(t)
	folder := organise(t, t.TempDir(), sink.url, nil)
	rewrite(t, filepath.Join(folder, "organisation.yaml"), "", "contact_tests: {every: 30d, calendar: never, owner: ann, group: noc}\n")
	rewrite(t, filepath.Join(folder, "groups.yaml"), "", "groups:\n  - {id: noc, name: NOC, members: [ann]}\n")
	rewrite(t, filepath.Join(folder, "calendars.yaml"), "",
		"  - {id: never, name: Never by themselves, zone: UTC, hours: [{days: [mon], from: 03:00, to: 03:01}]}\n")
	rewrite(t, filepath.Join(folder, "people.yaml"), "  - id: gus\n    name: Gus\n",
		"  - id: gus\n    name: Gus\n    away: [{from: 2026-01-01 00:00, to: 2066-01-01 00:00}]\n")
	short := &shortRuns{workflow: workflows.ContactsWorkflowID, events: 120}
	b := newBare(t, sink, folder, devserver.Options{Memory: true}, grpc.WithChainUnaryInterceptor(short.suggest))
	w := worker.New(b.temporal, b.effects, worker.Deployment{})
	must(t, w.Start())
	t.Cleanup(w.Stop)
	e, contacts := &ends{bare: b, T: t}, b.incidents.Contacts()
	sink.answer("/dan/app", failing(1, http.StatusGone, nil))

	round := func(person, what string, ok func(*reach.Record) bool) {
		t.Helper()
		must(t, contacts.Test(t.Context(), e.request("bob"), reach.Ask{Person: person, Name: person}))
		becomes(e, workflows.ContactsWorkflowID, what, func(l *reach.Ledger) bool {
			r := l.Find(reach.Way{To: person, Method: "app"})
			return l.Round == nil && (r == nil && ok == nil || r != nil && ok != nil && ok(r))
		})
	}
	round("dan", "it is refused, and somebody is to mend it", func(r *reach.Record) bool { return r.Result == reach.Failed && r.Item != "" })
	round("gus", "he is away", nil)
	round("dan", "it works again", func(r *reach.Record) bool { return r.Result == reach.Delivered && r.Item == "" })
	for n := range 100 {
		at := time.Now()
		must(t, contacts.Record(t.Context(), fmt.Sprint("tries-", n), []reach.Try{{Way: reach.Way{To: "eve", Method: "app"}, Result: reach.Delivered, At: at}}))
		if len(e.chain(workflows.ContactsWorkflowID)) == 2 {
			break
		}
	}
	round("eve", "she is tested in the second run", func(r *reach.Record) bool { return r.Test != nil })
	keep(t, "contacts-continued", e.chain(workflows.ContactsWorkflowID))
	t.Cleanup(func() { sink.check(t) })
}

// rewrite replaces a part of a file, or adds to its end, where there is no such part to be.
func rewrite(t *testing.T, file, old, text string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	after := string(before) + text
	if old != "" {
		after = strings.Replace(string(before), old, text, 1)
	}
	if after == string(before) {
		t.Fatalf("%s: %q is not in it", file, old)
	}
	must(t, os.WriteFile(file, []byte(after), 0o600))
}
