// Package org reads the organisation folder: who works here, for whom, what was promised, and who is told when something
// breaks. It takes a folder as a whole or not at all, and then says every reason; it sends nothing and keeps no state.
package org

import (
	"net/netip"
	"sync/atomic"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/oncall"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/retention"
	"muster/internal/supportplan"
)

// An Organisation is one folder as it was read: it never changes, and what it returns must not be changed either. It is
// safe for concurrent use.
type Organisation struct {
	ID        string
	Name      string
	Zone      *time.Location // in which people of the organisation read times
	Languages []string       // of the reports, the first is the organisation's own
	PublicURL string         // where people reach Muster; empty when they do not

	// Revision is the SHA-256 over names and content of the definition files, the first 12 digits of it.
	Revision string
	// Changed is when the folder on this machine took that content: the newest modification of a definition file, or of a
	// directory in which one may stand.
	Changed  time.Time
	LoadedAt time.Time
	Warnings []Fault // what is allowed and yet looks like a mistake

	*definitions
}

// definitions are what stands in the folder, by ID.
type definitions struct {
	dir            string
	networks       []netip.Prefix
	mail           *mailServer
	slack          *slackApp
	phones         *phones
	paging         paging
	signIn         *signIn // nil: nobody signs in
	tickets        ticketSystem
	statusPages    []statusPage           // in the order of the folder
	updateApproval *incident.ApprovalRule // nil: what people write to those outside is sent at once
	tests          *contactTests          // nil: no test pages go out by themselves
	fallback       method
	records        records
	kept           map[string]retention.Rule // how long the records of customers stay
	sources        []source
	heartbeats     []heartbeat.Definition // in the order of the folder
	routines       []comeback
	parties        map[string]Party
	vendors        map[string]Vendor // those with a support record
	people         map[string]person // customers' contacts as well, as customer/contact
	groups         map[string]group
	logins         map[string]string // of people, and whose each is
	calendars      map[string]calendar.Rules
	plans          map[string]supportplan.Plan
	entitled
	customers  map[string]customer
	windows    []freeze.Window // in the order of the folder, as the freezes
	freezes    []frozen
	planRoles  []PlanRole // where neither an environment nor its customer names anybody
	schedules  map[string]*oncall.Schedule
	rosters    []string // the IDs of schedules, in the order of the folder
	policies   map[string]escalation.Policy
	agreements []agreement               // in the order of the folder
	needs      map[string][]request.Need // of engineering, by the kind of request
	risks      string                    // ID of the policy whose levels a risk climbs; empty: of the service that it is about
	services   map[string]*service
	depends    map[string][]dependency // of services
	partners   map[string][]string     // and vendors, of services
	routes     []route
	automatics []automatic // in the order of the folder
	silences   []silenced
	changes    changeRules
	assets     []ownedAsset // in the order of the folder
	inForce    atomic.Pointer[inForce]
	runbooks   map[string]written
	runners    runners
	work       map[string]Plan // the plans of its own
	grouping   bool            // some route groups alerts
	forms      map[formKey]*report.Form
}

// Load reads a folder. Its error is a *Refusal with every fault of the folder, unless the folder itself cannot be read.
func Load(dir string) (*Organisation, error) { return LoadAsOf(dir, time.Now()) }

// LoadAsOf is Load at another instant: what looks like a mistake may depend on it, such as a gap in the next 30 days.
func LoadAsOf(dir string, now time.Time) (*Organisation, error) {
	f, err := readFolder(dir)
	if err != nil {
		return nil, err
	}
	return f.load(now)
}

// builder reads the definitions into an organisation.
type builder struct {
	reader

	org *Organisation
	*definitions

	mitigations map[string]escalation.Mitigation
	later       []func() // what can be checked only when all files are read

	files   map[string][]byte
	imports map[string]eventFile
}

func newBuilder(f *folder) *builder {
	d := &definitions{
		dir: f.dir, calendars: map[string]calendar.Rules{}, parties: map[string]Party{}, vendors: map[string]Vendor{}, people: map[string]person{},
		groups: map[string]group{}, logins: map[string]string{}, plans: map[string]supportplan.Plan{}, customers: map[string]customer{},
		schedules: map[string]*oncall.Schedule{}, policies: map[string]escalation.Policy{},
		services: map[string]*service{}, depends: map[string][]dependency{}, partners: map[string][]string{}, work: map[string]Plan{},
		entitled: nobodyEntitled(), needs: map[string][]request.Need{}, kept: map[string]retention.Rule{}, runbooks: map[string]written{}, forms: map[formKey]*report.Form{},
	}
	return &builder{
		reader: reader{faults: f.faults, tables: map[string]*table{}}, org: &Organisation{Revision: f.revision, Changed: f.changed, definitions: d},
		definitions: d, files: f.files, imports: map[string]eventFile{}, mitigations: map[string]escalation.Mitigation{},
	}
}

// A part is one file, or the files of one kind: what they define, and how.
type part struct {
	file    string
	defines string
	read    func(*object)
}

// parts are the files in the order in which they are read.
func (b *builder) parts() []part {
	return []part{
		{settingsFile, "organisation", b.settings},
		{calendarsFile, "calendar", b.readCalendars},
		{sourcesFile, "source", b.readSources},
		{beatsFile, "heartbeat", b.readHeartbeats},
		{partiesFile, party, b.readParties},
		{entitledFile, entitlementTable, b.readEntitlements},
		{plansFile, "support plan", b.readPlans},
		{customersFile, "customer", b.readCustomers},
		{freezesFile, "freeze", b.readFreezes},
		{peopleFile, "person", b.readPeople},
		{groupsFile, "group", b.readGroups},
		{schedulesFile, "schedule", b.readSchedules},
		{policiesFile, "policy", b.readPolicies},
		{agreedFile, "agreement", b.readAgreements},
		{servicesFile, "service", b.readServices},
		{automaticFile, kindOfResponse, b.readAutomatic},
		{routesFile, "route", b.readRoutes},
		{silencesFile, "silence", b.readSilences},
		{routinesFile, "routine", b.readRoutines},
		{changesFile, "class", b.readChanges},
		{assetsFile, "asset", b.readAssets},
	}
}

func (f *folder) load(now time.Time) (*Organisation, error) {
	b := newBuilder(f)
	b.org.LoadedAt = now
	b.readRunbooks(f)
	for _, p := range b.parts() {
		for _, file := range f.parts(p.file) {
			b.part(file, f.files[file], p.defines, p.read)
		}
	}
	b.readWork()
	b.checkDependencies()
	if err := b.readForms(); err != nil {
		return nil, err
	}
	for _, check := range b.later {
		check()
	}
	b.tryNoticeRules()
	b.tryRoutines()
	if len(b.faults) > 0 {
		return nil, &Refusal{Dir: f.dir, Faults: sorted(b.faults)}
	}
	b.org.Warnings = b.warnings(now)
	return b.org, nil
}

// part reads one file. What was to be defined in a file that cannot be read is not missed elsewhere.
func (b *builder) part(file string, content []byte, defines string, read func(*object)) {
	n := node{}
	if content != nil {
		var faults []Fault
		n, faults = parse(file, content)
		b.faults = append(b.faults, faults...)
		if len(faults) == 0 || n.kind != absent {
			b.object(n, "file", read)
		}
	}
	t := b.table(defines)
	t.unread = t.unread || n.kind != mapping
}
