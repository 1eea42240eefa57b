package org_test

import (
	"errors"
	"testing"

	"muster/internal/action"
)

func TestWhatAFolderHasToSayOfAnActionItem(t *testing.T) {
	files := entitledFiles(t)
	files["groups.yaml"] = groups
	o := load(t, files)
	right := action.Asked{Owner: "kim", Group: "noc", Origin: action.Origin{Customer: "shopco", Service: "shop"}}
	p, err := o.Action(right)
	if err != nil || p.OwnerName == "" || p.CustomerName == "" || p.ServiceName == "" || p.Organisation != o.Name || p.Zone != o.Zone.String() {
		t.Errorf("got %+v, %v", p, err)
	}
	for want, change := range map[string]func(*action.Asked){
		`owner: "nobody"; want the id of one of the provider's people in the organisation folder`: func(a *action.Asked) { a.Owner = "nobody" },
		`group: "nobody"; want the id of a group in the organisation folder`:                      func(a *action.Asked) { a.Group = "nobody" },
		`customer: "nobody"; want the id of a customer in the organisation folder`:                func(a *action.Asked) { a.Origin.Customer = "nobody" },
		`service: "nobody"; want the id of a service in the organisation folder`:                  func(a *action.Asked) { a.Origin.Service = "nobody" },
	} {
		a := right
		change(&a)
		_, err := o.Action(a)
		if fault, ok := errors.AsType[*action.Fault](err); !ok || fault.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
