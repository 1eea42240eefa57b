package org_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/request"
	"muster/internal/supportplan"
)

func TestWhatAFolderHasToSayOfARequest(t *testing.T) {
	o := load(t, entitledFiles(t))
	monday := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	a, p, err := o.Request(request.Asked{Customer: "shopco", Kind: "change", Feature: "visit", Channel: supportplan.ByEmail, Received: monday})
	if err != nil {
		t.Fatal(err)
	}
	promises := []supportplan.Promise{
		{Priority: request.Priority, Target: supportplan.Respond, Within: time.Hour}, {Priority: request.Priority, Target: supportplan.Resolve, Within: 48 * time.Hour},
	}
	if d := cmp.Diff(promises, p.Promises); d != "" || a.Feature != "visit" || p.Revision != o.Revision || p.Zone != o.Zone.String() || p.CustomerName == "" || p.AtRisk == 0 {
		t.Errorf("got %+v, promises (-want +got):\n%s", p, d)
	}
	if p.Uncounted.Outcome != supportplan.Undecided {
		t.Errorf("before uses are counted it is %s", p.Uncounted.Outcome)
	}
	whole, err := o.Entitlement("shopco")
	if err != nil {
		t.Fatal(err)
	}
	counted := p.Entitlement.Count(p.Uncounted, "visit", supportplan.Count{Known: true, N: 1}, supportplan.Count{Known: true, N: 19})
	want := whole.Check(supportplan.Request{
		Kind: "change", Feature: "visit", At: monday, Zone: o.Zone, Hours: supportplan.Open{Known: true, Now: true},
		Used: supportplan.Count{Known: true, N: 1}, Visited: supportplan.Count{Known: true, N: 19},
	})
	if d := cmp.Diff(want, counted); d != "" || counted.Outcome != supportplan.Covered {
		t.Errorf("what is kept decides otherwise than the folder (-want +got):\n%s", d)
	}
	if len(p.Entitlement.Table.Features()) != 1 || len(p.Entitlement.Contract.Certificates) != 0 {
		t.Errorf("it keeps %+v", p.Entitlement)
	}

	a, p, err = o.Request(request.Asked{Customer: "shopco", Kind: "tool", Received: monday}) // the kind is a feature
	if err != nil || a.Feature != "tool" || p.Uncounted.Reasons[0].Kind != supportplan.ReasonContracted || len(p.Promises) != 0 {
		t.Errorf("got %+v, %+v, %v", a, p, err)
	}
	a, p, err = o.Request(request.Asked{Customer: "shopco", Kind: "change", Channel: supportplan.ByEmail, Received: monday})
	if err != nil || a.Feature != "" || p.Uncounted.Outcome != supportplan.Covered {
		t.Errorf("got %+v, %+v, %v: want that a promised kind is included", a, p, err)
	}
}

func TestWhatAFolderRefusesOfARequest(t *testing.T) {
	o := load(t, entitledFiles(t))
	for want, a := range map[string]request.Asked{
		`customer: "nobody"; want the id of a customer in the organisation folder`:                                            {Customer: "nobody", Kind: "enquiry"},
		`kind: "a b"; want lower-case letters, digits and hyphens`:                                                            {Customer: "shopco", Kind: "a b"},
		`kind: "pony"; want enquiry, or change, or the id of a feature of the entitlement table family, which muster explain`: {Customer: "shopco", Kind: "pony"},
		`feature: "pony"; want the id of a feature of the entitlement table family`:                                           {Customer: "shopco", Kind: "enquiry", Feature: "pony"},
	} {
		_, _, err := o.Request(a)
		if _, ok := errors.AsType[*request.Fault](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for kind, want := range map[string]string{"enquiries": "enquiry", "changed": "change", "tools": "tool"} {
		if _, _, err := o.Request(request.Asked{Customer: "shopco", Kind: kind}); err == nil || !strings.HasSuffix(err.Error(), "; did you mean "+want+"?") {
			t.Errorf("%s: got %v, want that %s is meant", kind, err, want)
		}
	}
	bare := load(t, good(t)) // a plan without a word of requests
	if _, p, err := bare.Request(request.Asked{Customer: "shopco", Kind: "pony"}); err != nil || p.Uncounted.Outcome != supportplan.Undecided {
		t.Errorf("got %+v, %v: want that a person decides", p.Uncounted, err)
	}
	if _, _, err := bare.Request(request.Asked{Customer: "shopco", Kind: "enquiry", Feature: "pony"}); err == nil || !strings.Contains(err.Error(), "want none, because the support plan has no entitlement table") {
		t.Errorf("got %v", err)
	}
}

// What engineering needs is named by the kind of request, in both languages, each once.
func TestWhatEngineeringNeedsOfARequest(t *testing.T) {
	files := entitledFiles(t)
	plain := files["organisation.yaml"]
	files["organisation.yaml"] = plain + "requests:\n  change:\n    needs:\n      - {id: version, name: {en: Version, ko: 버전}}\n      - {id: logs, name: Logs}\n"
	want := []request.Need{{ID: "version", Name: supportplan.Text{English: "Version", Korean: "버전"}}, {ID: "logs", Name: supportplan.Text{English: "Logs", Korean: "Logs"}}}
	o := load(t, files)
	for kind, want := range map[string][]request.Need{"change": want, "tool": nil} {
		_, p, err := o.Request(request.Asked{Customer: "shopco", Kind: kind, Feature: map[string]string{"change": "visit"}[kind], Received: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)})
		if d := cmp.Diff(want, p.Needs); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", kind, err, d)
		}
	}
	files["organisation.yaml"] = plain + "requests:\n  change:\n    needs:\n      - {id: logs, name: Logs}\n      - {id: logs, name: {en: Logs}}\n"
	err := strings.Join(faults(t, files), "\n")
	for _, want := range []string{`id "logs": named already`, "ko: missing"} {
		if !strings.Contains(err, want) {
			t.Errorf("got %s, want %q", err, want)
		}
	}
}
