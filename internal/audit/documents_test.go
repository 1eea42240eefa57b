package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/proxy"

	"muster/internal/bundle"
)

// shelf has the reports of recorded runs, by their names.
type shelf map[string][]byte

func (s shelf) Get(_ context.Context, name string) ([]byte, error) {
	content, there := s[name]
	if !there {
		return nil, fs.ErrNotExist
	}
	return content, nil
}

var aFile = regexp.MustCompile(`"(?:path|name)":"[^"]*?([^"/]+/[^"/]+)","sha256":"([0-9a-f]{64})"`)

// shelved gives the recorded runs of an engine reports, under the names that their histories have, and their histories the hashes of these.
// Those that a shelf has already are given.
func shelved(t testing.TB, e *engine, all shelf) shelf {
	t.Helper()
	var sums []string
	for _, h := range e.byRun {
		for _, event := range h.GetEvents() {
			for _, p := range event.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads() {
				for _, m := range aFile.FindAllSubmatch(p.GetData(), -1) {
					name := string(m[1])
					if all[name] == nil {
						all[name] = []byte("as it was sent: " + name)
					}
					sums = append(sums, string(m[2]), fmt.Sprintf("%x", sha256.Sum256(all[name])))
				}
			}
		}
	}
	rewrite(t, e, sums...)
	return all
}

// rewrite replaces texts in all that the recorded runs of an engine have said and heard.
func rewrite(t testing.TB, e *engine, texts ...string) {
	t.Helper()
	all := strings.NewReplacer(texts...)
	for _, h := range e.byRun {
		if err := proxy.VisitPayloads(t.Context(), h, proxy.VisitPayloadsOptions{
			SkipSearchAttributes: true,
			Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
				for _, p := range payloads {
					p.Data = []byte(all.Replace(string(p.GetData())))
				}
				return payloads, nil
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// kept archives all that has run, and returns the reports in its bundles.
func kept(t *testing.T, v *vault) map[string]string {
	t.Helper()
	if _, err := v.pass(began.Add(48 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, content := range v.files.all {
		if !strings.HasPrefix(name, bundle.BundlesFolder) {
			continue
		}
		b, err := bundle.Read(name, content)
		if err != nil {
			t.Fatal(err)
		}
		for part, text := range b.Parts {
			if file, ok := strings.CutPrefix(part, bundle.ReportsFolder); ok && file != "report.en.md" {
				all[b.ID+"/"+file] = string(text)
			}
		}
	}
	return all
}

// What a customer or another party got is in the bundle as they got it, of each revision; nothing else stands there in its place.
func TestABundleHasTheReportsThatWereHandedOut(t *testing.T) {
	recordings := []string{"incident-reported", "incident-continued", "upgrade-happy"}
	v := newVault(t, recorded(t, recordings...))
	reports := v.shelf
	got := kept(t, v)
	want := map[string]string{}
	for name, content := range reports {
		want[name] = string(content)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(v.remarks) > 0 {
		t.Errorf("remarks %q, reports (-handed out +in the bundle):\n%s", v.remarks, diff)
	}
	const least = 20
	names := strings.Join(slices.Sorted(maps.Keys(got)), " ")
	if len(got) < least || !strings.Contains(names, "incident-report-1.en.pdf") || !strings.Contains(names, "incident-report-2.en.pdf") ||
		!strings.Contains(names, "result-report-1.initech.en.pdf") || !strings.Contains(names, "completion-report-completion-1.customer.en.html") {
		t.Errorf("there are %s", names)
	}

	v = newVault(t, recorded(t, recordings...))
	reports = v.shelf
	for name := range reports {
		switch path.Base(name) {
		case "result-report-1.initech.en.pdf":
			reports[name] = []byte("somebody has put this there")
			delete(want, name)
		case "completion-report-completion-1.en.md":
			delete(reports, name)
			delete(want, name)
		}
	}
	if diff := cmp.Diff(want, kept(t, v)); diff != "" {
		t.Errorf("reports (-handed out and there +in the bundle):\n%s", diff)
	}
	remarks := strings.Join(v.remarks, "\n")
	if len(v.remarks) != 2 || !strings.Contains(remarks, "result-report-1.initech.en.pdf: its SHA-256 is ") || !strings.Contains(remarks, "does not exist") {
		t.Errorf("remarks: %s", remarks)
	}

	v = newVault(t, recorded(t, recordings...))
	const most = 64 << 20
	for name := range v.shelf {
		if strings.HasSuffix(name, "-2.en.pdf") { // of each of the incidents
			v.shelf[name] = bytes.Repeat([]byte{1}, most)
		}
	}
	shelved(t, v.engine, v.shelf)
	got = kept(t, v)
	for name, content := range v.shelf {
		if (got[name] == "") != (len(content) == most) {
			t.Errorf("%s of %d bytes: %d bytes of it are in the bundle", name, len(content), len(got[name]))
		}
	}
	if !strings.Contains(strings.Join(v.remarks, "\n"), "incident-report-2.en.pdf: want at most 500 reports of 67108864 bytes together in a bundle") {
		t.Errorf("remarks: %q", v.remarks)
	}
}

// A work plan lists how people are reached, which no record holds. Nobody is told that it is left out.
func TestABundleHasNoWorkPlan(t *testing.T) {
	v := newVault(t, recorded(t, "upgrade-happy"))
	rewrite(t, v.engine, "completion-report-completion-1.customer.", "work-plan-completion-1.customer.")
	all := kept(t, v)
	for name := range all {
		if strings.Contains(name, "work-plan") {
			t.Errorf("%s is in the bundle", name)
		}
	}
	if len(all) == 0 || len(v.remarks) > 0 {
		t.Errorf("there are %d reports, remarks %q", len(all), v.remarks)
	}
}
