package starter

import (
	"time"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A PlanFolder says who may see and do what in runs of plans: the organisation folder as it is now.
type PlanFolder interface {
	// Subject returns who acts, with a party and roles.
	Subject(actor string) (authority.Subject, bool)
	// Partners are those of a service.
	Partners(service string) []string
	// PlanRoles returns the roles of a run that a person fills at an instant.
	PlanRoles(r *planrun.Run, person string, at time.Time) []string
	Folder() incident.Folder
}

// AboutRun is a run as authority sees it: it concerns its customer, and the partners and vendors of the services that it works on, as they
// are now.
func AboutRun(f PlanFolder, r *planrun.Run) authority.Object {
	o := authority.Object{Kind: authority.PlanRun, Customers: []string{r.Customer}}
	for _, e := range r.Environments {
		for _, service := range e.Services {
			o.Partners = append(o.Partners, f.Partners(service)...)
		}
	}
	return o
}

// CapacityIn is in which roles of a run somebody acts: those that the folder names now. A machine fills none, whatever its name.
func CapacityIn(f PlanFolder, r *planrun.Run, by timeline.Actor, now time.Time) planrun.Capacity {
	c := planrun.Capacity{Roles: []string{}, Revision: f.Folder().Revision}
	if by.Kind == timeline.Person {
		c.Roles = append(c.Roles, f.PlanRoles(r, by.ID, now)...)
	}
	return c
}

// PlanViewer is somebody of a party beside the provider, with the roles that they fill.
func PlanViewer(f PlanFolder, r *planrun.Run, by authority.Subject, now time.Time) planrun.Viewer {
	return planrun.Viewer{Viewer: Viewer(f, by, r.Organisation), Kind: by.Kind, Roles: CapacityIn(f, r, by.Actor, now).Roles}
}

// Viewer is somebody of a party beside the provider, before whom the organisation stands for everybody else.
func Viewer(f interface {
	Subject(actor string) (authority.Subject, bool)
}, by authority.Subject, organisation string,
) incident.Viewer {
	return incident.Viewer{
		Party: by.Party,
		Own: func(a timeline.Actor) bool {
			whose, ok := f.Subject(a.ID)
			return a.Kind == timeline.Person && ok && whose.Party == by.Party
		},
		Instead: timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: organisation},
	}
}

// RunAsSeen is a run as somebody may see it.
func RunAsSeen(f PlanFolder, r *planrun.Run, by authority.Subject, now time.Time) *planrun.Run {
	if by.Kind == authority.Provider {
		return r
	}
	return r.Shown(PlanViewer(f, r, by, now))
}
