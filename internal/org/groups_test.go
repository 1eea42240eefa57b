package org_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/escalation"
)

const groups = `groups:
  - id: noc
    name: 관제
    members: [kim, park]
    methods: [{name: room, type: file, address: noc.jsonl}]
  - id: network
    name: Network
    language: en
    members: [park]
`

func TestAGroupIsItsChannelAndItsMembers(t *testing.T) {
	files := good(t)
	files["groups.yaml"] = groups
	o := load(t, files)
	kim := delivery.Recipient{ID: "kim", Name: "김민수", Language: "ko", Methods: []string{"chat", "mail"}}
	park := delivery.Recipient{ID: "park", Name: "Park", Language: "en", Methods: []string{"hook", "desk", "log"}}
	channel := delivery.Recipient{ID: "group:noc", Name: "관제", Language: "ko", Methods: []string{"room"}, Shared: true, Along: true}
	for id, want := range map[string][]delivery.Recipient{"noc": {channel, kim, park}, "network": {park}} {
		got, err := o.Recipients(escalation.Target{Kind: escalation.Group, ID: id}, o.LoadedAt)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", id, err, diff)
		}
	}
	contact, err := o.Contact("group:noc", "room")
	if diff := cmp.Diff(delivery.Contact{Method: "room", Type: delivery.File, Address: "noc.jsonl"}, contact); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, id := range []string{"group:noc", "group:ghost", "noc"} {
		if _, ok := o.Person(id); ok {
			t.Errorf("%s is a person", id)
		}
		if _, ok := o.Subject(id); ok {
			t.Errorf("%s can act", id)
		}
	}
	if _, err := o.Contact("group:ghost", "room"); err == nil {
		t.Error("a group that is not there has a contact")
	}
}

// The words that targets begin with are no reserved IDs of people.
func TestAPersonMayHaveTheNameOfATarget(t *testing.T) {
	files := good(t)
	files["people.yaml"] += "  - {id: engineer, name: Engineer, language: en, methods: [{name: desk, type: console}]}\n"
	if c, err := load(t, files).Contact("engineer", "desk"); err != nil || c.Type != delivery.Console {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestFaultsOfGroups(t *testing.T) {
	for _, tc := range []struct{ content, want string }{
		{"groups: [{id: noc, name: NOC}]", "groups.yaml:1:10: group noc: nobody is in it, and it has no channel; want members, methods or both"},
		{"groups: [{id: noc, name: NOC, members: []}]", "groups.yaml:1:10: group noc: nobody is in it, and it has no channel; want members, methods or both"},
		{"groups: [{id: noc, name: NOC, members: [kim, kimm]}]", `groups.yaml:1:46: group noc: members "kimm": no such person; did you mean kim?`},
		{"groups: [{id: noc, name: NOC, members: [kim, kim]}]", `groups.yaml:1:46: group noc: members "kim": named twice`},
		{"groups: [{id: noc, name: NOC, members: [han]}]", `groups.yaml:1:41: group noc: members "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
	} {
		files := good(t)
		files["groups.yaml"] = tc.content
		if diff := cmp.Diff([]string{tc.want}, faults(t, files)); diff != "" {
			t.Errorf("%s\n%s", tc.content, diff)
		}
	}
}
