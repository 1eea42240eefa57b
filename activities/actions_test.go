package activities_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
)

// Action writes what it is about, but to nobody who is called mute.
func (writer) Action(t action.Telling, ownerless bool, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Action, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	if ownerless {
		m.Text = "ownerless"
	}
	return m, nil
}

func improving() *activities.Actions {
	return &activities.Actions{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
}

// The owner is told what is the owner's, and whoever stands behind the rest: also when nobody finds the owner.
func TestWhoIsToldOfAnActionItem(t *testing.T) {
	for name, tc := range map[string]struct {
		owner      string
		mine, all  bool
		behind     string
		except     []string
		to, detail string
		ownerless  bool
	}{
		"the owner":          {owner: "choi", mine: true, behind: "park", to: "choi"},
		"everybody":          {owner: "choi", mine: true, all: true, behind: "park", to: "choi park kim"},
		"each once":          {owner: "choi", mine: true, all: true, behind: "choi", to: "choi kim"},
		"who may decide":     {owner: "choi", all: true, behind: "park", except: []string{"choi", "kim"}, to: "park"},
		"the owner has left": {owner: "gap", mine: true, behind: "park", to: "park kim", ownerless: true},
		"nobody knows them":  {owner: "ghost", mine: true, behind: "park", to: "park kim", ownerless: true, detail: `person "ghost": not found`},
		"the group is gone":  {owner: "choi", mine: true, all: true, behind: "ghost", to: "choi kim", detail: `person "ghost": not found`},
		"a text is broken":   {owner: "mute", mine: true, behind: "park", to: "mute", detail: "write message to mute: text is broken"},
	} {
		got, err := perform[activities.ActionComposition](t, improving().ComposeAction, activities.ComposeActionInput{Telling: action.Telling{
			About: action.DueNow, Terms: action.Terms{Asked: action.Asked{Owner: tc.owner}}, Owner: tc.mine, All: tc.all, Except: tc.except,
			Behind: []escalation.Target{{Kind: escalation.Group, ID: tc.behind}, {Kind: escalation.Person, ID: "kim"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		var to []string
		for _, a := range got.To {
			to = append(to, a.To.ID)
			if a.Message.Subject != "due" || (a.Message.Text != "") != tc.ownerless {
				t.Errorf("%s: %s gets %+v", name, a.To.ID, a.Message)
			}
		}
		if strings.Join(to, " ") != tc.to || got.Detail != tc.detail || got.Ownerless != tc.ownerless || got.Folder.Revision != "r2" {
			t.Errorf("%s: got %+v, want it to go to %s", name, got, tc.to)
		}
	}
}

func TestAnActionItemAsksNoOlderFolderUnlessItMust(t *testing.T) {
	a := improving()
	a.Directory = func() activities.Directory { return directory{older: true} }
	in := activities.ComposeActionInput{Telling: action.Telling{Terms: action.Terms{Asked: action.Asked{Owner: "choi"}}, Owner: true}, Seen: incident.Folder{Revision: "r3"}}
	if _, err := perform[activities.ActionComposition](t, a.ComposeAction, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true
	if got, err := perform[activities.ActionComposition](t, a.ComposeAction, in); err != nil || len(got.To) != 1 {
		t.Errorf("got %+v, %v; want choi", got, err)
	}
}
