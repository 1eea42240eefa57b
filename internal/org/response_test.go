package org_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/escalation"
)

func TestFaultsOfPolicies(t *testing.T) {
	const file = "escalation-policies.yaml"
	for _, tc := range []struct{ old, new, want string }{
		{"notify: in-order", "notify: sequential", `escalation-policies.yaml:15:21: policy std: variant 1: step 1: notify "sequential": want parallel or in-order
escalation-policies.yaml:16:20: policy std: variant 1: step 1: every: want none, because all targets are paged at once; want notify: in-order with it`},
		{"            notify: in-order\n", "", `escalation-policies.yaml:15:20: policy std: variant 1: step 1: every: want none, because all targets are paged at once; want notify: in-order with it`},
		{"            every: 2m\n", "", `escalation-policies.yaml:13:13: policy std: variant 1: step 1: every: missing; want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{"acknowledgements: 2", "acknowledgements: 0", `escalation-policies.yaml:17:31: policy std: variant 1: step 1: acknowledgements "0": want a number of people from 1 to 10`},
		{"mitigations: [restart]", "mitigations: [restrat]", `escalation-policies.yaml:18:27: policy std: variant 1: step 1: mitigations "restrat": no such mitigation; did you mean restart?`},
		{"mitigations: [restart]", "mitigations: [restart, restart]", `escalation-policies.yaml:18:36: policy std: variant 1: step 1: mitigations "restart": named twice`},
		{"priorities: [P1]", "priorities: []", `escalation-policies.yaml:11:21: policy std: variant 1: priorities: none; want at least one`},
		{"priorities: [P1]", "priority: P1", `escalation-policies.yaml:11:9: policy std: variant 1: for every incident; want priorities, or a calendar as in or out_of
escalation-policies.yaml:11:9: policy std: variant 1: unknown key "priority"; known: priorities, out_of, in, steps`},
		{"out_of: office", "out_of: offce", `escalation-policies.yaml:19:17: policy std: variant 2: out_of "offce": no such calendar; did you mean office?`},
		{"out_of: office", "out_of: office\n        in: office", `escalation-policies.yaml:19:17: policy std: variant 2: in and out_of: want one of them`},
		{"role:incident-manager, person:kim", "role:incident-manger", `escalation-policies.yaml:13:23: policy std: variant 1: step 1: targets "incident-manger": no such role; did you mean incident-manager?`},
		{"role:incident-manager, person:kim", "vendor:mega", `escalation-policies.yaml:13:23: policy std: variant 1: step 1: targets "mega": not a vendor with contacts; want contacts in the support of party mega in parties.yaml`},
		{"role:incident-manager, person:kim", "vendor:hanbit", `escalation-policies.yaml:13:23: policy std: variant 1: step 1: targets "hanbit": not a vendor with contacts; want contacts in the support of party hanbit in parties.yaml`},
		{"role:incident-manager, person:kim", "vendor:gone", `escalation-policies.yaml:13:23: policy std: variant 1: step 1: targets "gone": no such party; known: acme, hanbit, mega, shopco`},
		{"last_resort: {targets: [person:park]", "last_resort: {targets: [engineer]", `escalation-policies.yaml:7:29: policy std: last_resort: targets "engineer": want schedule:ID, group:ID or person:ID`},
		{"text: One at a time.", "text: \" \"", `escalation-policies.yaml:22:49: mitigation restart: text " ": want text of at most 1000 characters`},
		{"name: Restart the shop, ", "", `escalation-policies.yaml:22:5: mitigation restart: name: missing; want a name on one line, of at most 200 characters`},
	} {
		files := good(t)
		change{file, tc.old, tc.new}.in(t, files)
		if diff := cmp.Diff(strings.Split(tc.want, "\n"), faults(t, files)); diff != "" {
			t.Errorf("%s\n%s", tc.new, diff)
		}
	}
}

func TestAPriorityHasOneVariant(t *testing.T) {
	files := good(t)
	change{"escalation-policies.yaml", "    variants:\n", "    variants:\n      - {priorities: [P2, P1], steps: [{targets: [person:kim], wait: 1m}]}\n"}.in(t, files)
	want := []string{"escalation-policies.yaml:2:5: policy std: variant 2: priorities P1: variant 1 has it already, and the first one is taken"}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

// served returns a folder in which ShopCo has an engineer, a substitute and a pool.
func served(t *testing.T) map[string]string {
	files := good(t)
	files["groups.yaml"] = "groups: [{id: noc, name: NOC, members: [kim, park]}]"
	change{"customers.yaml", "    support_plan: gold\n", `    support_plan: gold
    engineer: {person: yoon, substitute: park}
    engineers: group:noc
`}.in(t, files)
	change{"escalation-policies.yaml", "targets: [schedule:primary]", "targets: [engineer, schedule:primary]"}.in(t, files)
	return files
}

func TestACustomersEngineerHasASubstituteAndAPool(t *testing.T) {
	o := load(t, served(t))
	if len(o.Warnings) > 0 {
		t.Error(o.Warnings)
	}
	got, err := o.Engineers("shopco", o.LoadedAt)
	if shown := ids(got); shown != "[yoon] [park] [kim park]" || err != nil {
		t.Errorf("got %s, %v", shown, err)
	}
	if _, err := o.Engineers("gone", o.LoadedAt); err == nil {
		t.Error("a customer that is not there has engineers")
	}
	files := good(t)
	if got, err := load(t, files).Engineers("shopco", o.LoadedAt); len(got) > 0 || err != nil {
		t.Errorf("nobody is named, and it is %s, %v", ids(got), err)
	}
	for _, written := range []string{"engineer", "role:incident-manager"} {
		target, err := escalation.ParseTarget(written)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Recipients(target, o.LoadedAt); err == nil {
			t.Errorf("the folder alone says who %s is", written)
		}
	}
}

func ids(all [][]delivery.Recipient) string {
	var lists []string
	for _, list := range all {
		var ids []string
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		lists = append(lists, fmt.Sprint(ids))
	}
	return strings.Join(lists, " ")
}

func TestFaultsOfEngineers(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"person: yoon", "person: yoom", `customers.yaml:6:24: customer shopco: engineer: person "yoom": no such person; did you mean yoon?`},
		{"person: yoon", "person: han", `customers.yaml:6:24: customer shopco: engineer: person "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{"substitute: park", "substitute: yoon", `customers.yaml:6:42: customer shopco: engineer: substitute "yoon": want somebody else than person`},
		{"substitute: park", "deputy: park", `customers.yaml:6:30: customer shopco: engineer: unknown key "deputy"; known: person, substitute`},
		{"person: yoon, ", "", `customers.yaml:6:15: customer shopco: engineer: person: missing; want the ID of a person`},
		{"engineers: group:noc", "engineers: group:nok", `customers.yaml:7:16: customer shopco: engineers "nok": no such group; did you mean noc?`},
		{"engineers: group:noc", "engineers: person:kim", `customers.yaml:7:16: customer shopco: engineers "person:kim": want schedule:ID or group:ID`},
	} {
		files := served(t)
		change{"customers.yaml", tc.old, tc.new}.in(t, files)
		if diff := cmp.Diff([]string{tc.want}, faults(t, files)); diff != "" {
			t.Errorf("%s\n%s", tc.new, diff)
		}
	}
}

func TestWhereEngineersArePagedAndMissingIsWarnedOf(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes []change
		want    string
	}{
		{"a customer without", []change{
			{"escalation-policies.yaml", "targets: [schedule:primary]", "targets: [engineer, schedule:primary]"},
		}, "services.yaml:2:9: service shop: policy std pages the engineer of customer shopco, which has neither engineer nor engineers"},
		{"for a role", []change{
			{"services.yaml", "support-manager: [person:park]", "support-manager: [engineer]"},
		}, "services.yaml:2:9: service shop: role support-manager pages the engineer of customer shopco, which has neither engineer nor engineers"},
		{"a service without customers", []change{
			{"escalation-policies.yaml", "targets: [schedule:primary]", "targets: [engineer, schedule:primary]"},
			{"services.yaml", "    customers: [shopco]\n", ""},
		}, "customers.yaml:2:9: customer shopco: no service is for it, so no incident can touch it\nservices.yaml:2:9: service shop: policy std pages the engineers of its customers, and it has no customers"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := good(t)
			for _, c := range tc.changes {
				c.in(t, files)
			}
			var got []string
			for _, w := range load(t, files).Warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(strings.Split(tc.want, "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
