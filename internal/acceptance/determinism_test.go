package acceptance_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	alerts "muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/devserver"
	"muster/internal/incident"
	"muster/internal/node"
	"muster/internal/signature"
	"muster/workflows"
)

// An incident runs on code that is then changed without a change id: the node that has the new code notices by itself
// that the run cannot go on, and says so by a way that needs no Temporal.
func TestBrokenDeterminismIsReported(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("Temporal reports a run after its second failed task, ten seconds later")
	}
	folder, sink := t.TempDir(), newReceiver(t)
	data, organisation := filepath.Join(folder, "data"), organise(t, folder, sink.url, nil)

	old := newBare(t, sink, organisation, devserver.Options{Folder: data, NormalSync: true})
	stop := old.workAs(t, func(ctx workflow.Context, in signature.Signed[workflows.IncidentInput]) error {
		if err := workflow.Sleep(ctx, 10*time.Millisecond); err != nil { // what the code of today does not do
			return err
		}
		return workflows.Incident(ctx, in)
	})
	old.tell(t, "till", "changed", alerts.Firing, 1)
	before := old.state(t, "till", "changed", "the first on-call is paged", func(*incident.Incident) bool {
		return len(sink.got(taken(pages("/ann/app")))) > 0
	})
	stop()
	old.temporal.Close()
	old.engine.Stop()

	said := newJournal(t)
	running, err := node.Start(t.Context(), node.DevConfig{
		Config: node.Config{
			Data: data, Org: organisation, Listen: "127.0.0.1:0", Out: said, Log: said.logger(),
		},
		NormalSync: true, UIPort: devserver.Off,
	})
	must(t, err)
	t.Cleanup(running.Stop)
	must(t, deliver(t.Context(), running.URL, body("till", "sound", "firing", 1, "")))
	must(t, until(t.Context(), "another incident goes its way", func() error {
		if len(sink.got(taken(func(a attempt) bool { return pages("/ann/app")(a) && a.Message.Incident != string(before.ID) }))) == 0 {
			return errors.New("no page was taken")
		}
		return nil
	}))
	broken, sound := groupID("till", "changed"), groupID("till", "sound")
	must(t, until(t.Context(), "the fallback hears of the run", func() error {
		for _, a := range sink.got(taken(func(a attempt) bool { return a.path == "/watch/hook" })) {
			if a.Message.Kind != delivery.SelfWatch {
				return fmt.Errorf("it hears a %s", a.Message.Kind)
			}
			if strings.Contains(a.Message.Text, sound) {
				t.Errorf("the fallback hears of a run that is well: %s", a.Message.Text)
			}
			if strings.Contains(a.Message.Text, "PROBLEM workflow-problems") && strings.Contains(a.Message.Text, broken) {
				return nil
			}
		}
		return errors.New("nothing yet")
	}))
	health, err := administrator(t, running.URL, data).Ready(t.Context())
	if err != nil || !strings.Contains(health, "cannot go on") {
		t.Errorf("readyz says %q, %v; want that a run cannot go on", health, err)
	}
	sink.check(t)
}
