package cli_test

import (
	"cmp"
	"context"
	"slices"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/starter"
)

// Open opens an incident as a workflow does: what is reported twice under one number is refused the second time.
func (h *house) Open(_ context.Context, r starter.Request, def incident.Definition, n incident.Notice) (incident.ID, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	const reported incident.ID = "INC-REP0RTED00"
	for _, i := range h.incidents {
		if i.ID == reported {
			return "", false, &starter.RefusedError{Reason: "open incident: receipt \"CS-1182\" is that of " + string(reported) + " already"}
		}
	}
	i, err := incident.OpenNoticed(reported, def, n, r.By, now())
	if err != nil {
		return "", false, err
	}
	settle(i, now())
	h.incidents = append(h.incidents, i)
	return i.ID, true, nil
}

func (h *house) Find(ctx context.Context, id incident.ID) (starter.Ref, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return starter.Ref{}, err
	}
	return starter.Ref{WorkflowID: "incident/" + string(i.ID)}, nil
}

// Reported knows the service checkout of two customers, one of which is asked whether it is fixed.
func (people) Reported(r incident.Reported) (incident.Definition, error) {
	if r.Service != "checkout" {
		return incident.Definition{}, &incident.NoticeFault{Field: "service", Detail: `"` + r.Service + `"; want the ID of a service in the organisation folder`}
	}
	hanbit := customer("hanbit", "한빛은행", 10*time.Minute, 30*time.Minute, 4*time.Hour)
	hanbit.Plan.UpdateBy = supportplan.ByEngine
	hanbit.Plan.Confirm = &supportplan.Confirmation{Days: 2}
	d := definition("Checkout", r.Title, cmp.Or(r.Impact, priority.High), cmp.Or(r.Urgency, priority.Medium), hanbit, customer("acme", "Acme Corp", time.Hour))
	d.Source = incident.People
	if len(r.Customers) > 0 {
		d.Customers = slices.DeleteFunc(d.Customers, func(c incident.Customer) bool { return !slices.Contains(r.Customers, c.ID) })
	}
	return d, nil
}

func (people) VendorSupport(id string) (incident.VendorSupport, bool) {
	return incident.VendorSupport{
		ID: id, Name: "SkyHost", Plan: "Enterprise", OpenCase: "https://support.skyhost.example", Reachable: true,
		Respond: []incident.VendorResponse{{Priority: priority.P2, Within: 15 * time.Minute}},
	}, id == "skyhost"
}

func (people) Vendors() []string { return []string{"skyhost"} }

// Answers knows the engineer of every customer.
func (people) Answers(person, _ string) bool { return person == "choi" }
