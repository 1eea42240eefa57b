package worker

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"muster/activities"
	"muster/internal/console"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/localpage"
	"muster/internal/localreport"
	"muster/internal/org"
	"muster/internal/outbound"
	"muster/internal/pagerduty"
	"muster/internal/planrun"
	"muster/internal/preset"
	"muster/internal/report"
	"muster/internal/runner"
	"muster/internal/slack"
	"muster/internal/smtp"
	"muster/internal/statuspage"
	"muster/internal/twilio"
	"muster/internal/webhook"
)

// Options are what the activities work with.
type Options struct {
	Organisation *org.Live
	Texts        *report.Texts
	Archive      activities.Archive
	Archives     *activities.Archives // nil: this worker keeps none
	Tracker      activities.Tracker
	Counter      activities.Counter
	Responses    activities.ResponseLedger
	Items        activities.ContactItems
	Routines     activities.RoutineStarter
	Recurrences  activities.Recurrences
	ChangeRuns   activities.ChangeRuns
	Changes      activities.Changes
	Incidents    activities.Incidents
	Intake       activities.Intake
	Locks        activities.Locks
	Keys         Keys
	Links        activities.Linker        // nil: messages carry no links
	RunPage      func(planrun.ID) string  // nil: messages do not say where a run is seen
	IncidentPage func(incident.ID) string // nil: tickets do not say where an incident is seen
	Refused      func(Refusal)            // of messages that nobody of this installation has signed
	Data         string                   // folder of the local tickets, reports and file channels
	Log          *slog.Logger
	Out          io.Writer // of the console channel
}

// attemptTimeout is shorter than Temporal's patience with an attempt, so that each ends with an outcome of its own.
const attemptTimeout = 10 * time.Second

// settleTime is how long after it was sent a text message is looked at once more.
const settleTime = 2 * time.Second

// NewActivities fills the activities' interfaces with adapters. Channels and ticket system are those of the organisation
// folder as it is now; addresses and people are looked up at every send.
func NewActivities(o Options) (Activities, error) {
	now := o.Organisation.Current()
	senders, err := Senders(now, o.Data, o.Out)
	if err != nil {
		return Activities{}, err
	}
	tickets, err := Tickets(now, o.Data)
	if err != nil {
		return Activities{}, err
	}
	current := func() activities.Directory { return o.Organisation.Current() }
	shelf := Reports(o.Data)
	return Activities{
		Composition: &activities.Composition{Directory: current, Writer: o.Texts, Now: time.Now},
		Deliveries: &activities.Deliveries{
			Directory: current, Tracker: o.Tracker, Senders: senders, Links: o.Links, Reports: shelf,
		},
		FollowUps: &activities.FollowUps{Directory: current, Senders: senders, Writer: o.Texts, Now: time.Now},
		Tickets:   &activities.Tickets{System: tickets, Writer: o.Texts, Page: o.IncidentPage},
		Rooms: &activities.Rooms{
			Keeper: senders[delivery.Slack].(*slack.Sender), Members: func(people []string) []string { return o.Organisation.Current().SlackMembers(people) }, Writer: o.Texts, Page: o.IncidentPage,
		},
		Pages: &activities.Pages{Page: statusPages(o.Organisation, o.Data), Writer: o.Texts},
		Reports: &activities.Reports{
			Archive: o.Archive, Writer: o.Texts, Shelf: shelf, Directory: current,
			Forms: func() activities.Forms { return o.Organisation.Current() },
		},
		Lookup: &activities.Lookup{
			Archive: o.Archive, Around: func(service string) incident.Around { return o.Organisation.Current().Around(service) },
		},
		Handovers: &activities.Handovers{Directory: current, Writer: o.Texts, Now: time.Now},
		Certificates: &activities.Certificates{
			Directory: func() activities.CertificateDirectory { return o.Organisation.Current() }, Writer: o.Texts,
		},
		Contacts: &activities.Contacts{
			Directory: func() activities.ContactDirectory { return o.Organisation.Current() }, Writer: o.Texts, Items: o.Items,
		},
		Routines: &activities.Routines{
			Directory: current, Folder: func() activities.RoutineFolder { return o.Organisation.Current() }, Writer: o.Texts, Runs: o.Routines, Counter: o.Counter, Now: time.Now,
		},
		Plans: &activities.Plans{
			Directory: current, Library: func() activities.Library { return o.Organisation.Current() }, Writer: o.Texts, Now: time.Now, Page: o.RunPage,
		},
		PlanReports: &activities.PlanReports{
			Writer: o.Texts, Shelf: shelf, Languages: func() []string { return o.Organisation.Current().Languages },
			Contacts: func() activities.PlanContacts { return o.Organisation.Current() },
		},
		Environments: &activities.Environments{Incidents: o.Incidents, Locks: o.Locks},
		Heartbeats:   &activities.Heartbeats{Intake: o.Intake},
		Runbooks:     &activities.Runbooks{Runner: &runner.Runner{House: func() runner.House { return o.Organisation.Current() }}},
		Responses:    &activities.Responses{Ledger: o.Responses},
		Actions:      &activities.Actions{Directory: current, Writer: o.Texts, Now: time.Now},
		Risks:        &activities.Risks{Directory: current, Writer: o.Texts, Now: time.Now},
		Silences:     &activities.Silences{Directory: current, Writer: o.Texts, Now: time.Now},
		Reviews:      &activities.Reviews{Changes: o.Changes, Directory: current, Writer: o.Texts, Now: time.Now},
		Requests:     &activities.Requests{Directory: current, Writer: o.Texts, Counter: o.Counter, Now: time.Now},
		Problems: &activities.Problems{
			Directory: current, House: func() activities.ProblemHouse { return o.Organisation.Current() }, Writer: o.Texts, Recurrences: o.Recurrences,
			Now: time.Now,
		},
		ChangeRequests: &activities.ChangeRequests{
			Directory: current, House: func() activities.ChangeHouse { return o.Organisation.Current() }, Writer: o.Texts, Runs: o.ChangeRuns, Now: time.Now,
		},
		Archives:  o.Archives,
		Admission: &Admission{Keys: o.Keys, Refused: o.Refused, Now: time.Now, Log: o.Log},
	}, nil
}

// Senders are the channels of an organisation: one adapter for each type of contact method.
func Senders(o *org.Organisation, data string, out io.Writer) (map[delivery.ContactType]activities.Sender, error) {
	mail, err := mailer(o)
	if err != nil {
		return nil, err
	}
	all := map[delivery.ContactType]activities.Sender{
		delivery.Console: &console.Sender{W: out},
		delivery.File:    &console.File{Folder: filepath.Join(data, "deliveries"), Reports: reports(data)},
		delivery.Webhook: &webhook.Sender{Client: guarded(o)},
		delivery.Email:   mail,
	}
	if all[delivery.Slack], err = writer(o); err != nil {
		return nil, err
	}
	chats, err := preset.Chats()
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	for _, name := range chats {
		chat, err := preset.LoadChat(name)
		if err != nil {
			return nil, err
		}
		all[delivery.ContactType(name)] = &preset.Poster{Client: single(o), Chat: chat}
	}
	return all, phones(o, all)
}

// phones adds the channels that ring.
func phones(o *org.Organisation, all map[delivery.ContactType]activities.Sender) error {
	guard := outbound.Guard{Allow: o.OwnNetworks()}
	paging, err := o.PagerDuty()
	if err != nil {
		return err
	}
	all[delivery.PagerDuty] = &pagerduty.Sender{Guard: guard, Timeout: attemptTimeout / 2, URL: paging.URL, PublicURL: o.PublicURL}
	p, err := o.Phones()
	if err != nil {
		return err
	}
	account := &twilio.Account{
		Guard: guard, Timeout: attemptTimeout, Settle: settleTime, URL: p.URL, ID: p.ID, Key: p.Key, Token: string(p.Token),
	}
	voice := &twilio.Voice{Account: account, From: p.VoiceFrom}
	if p.Proof != "" { // else a key that somebody presses would prove nothing
		voice.PublicURL = o.PublicURL
	}
	all[delivery.SMS], all[delivery.Voice] = &twilio.SMS{Account: account, From: p.From}, voice
	return nil
}

// Reports returns the shelf of reports of a worker with this data folder.
func Reports(data string) *localreport.Shelf { return &localreport.Shelf{Folder: reports(data)} }

// reports is the folder of the shelf.
func reports(data string) string { return filepath.Join(data, "reports") }

func guarded(o *org.Organisation) *outbound.Client {
	return &outbound.Client{Guard: outbound.Guard{Allow: o.OwnNetworks()}, Timeout: attemptTimeout}
}

// single is for receivers that cannot tell a repeat.
func single(o *org.Organisation) *outbound.Client {
	c := guarded(o)
	c.Single = true
	return c
}

func writer(o *org.Organisation) (*slack.Sender, error) {
	app, err := o.Slack()
	if err != nil {
		return nil, err
	}
	return &slack.Sender{
		Client: single(o), Guard: outbound.Guard{Allow: o.OwnNetworks()}, Timeout: attemptTimeout / 3, URL: app.URL, Token: string(app.Token),
		Buttons: app.Buttons,
	}, nil
}

func mailer(o *org.Organisation) (*smtp.Sender, error) {
	m, err := o.Mail()
	if err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	return &smtp.Sender{
		Host: m.Host, Port: m.Port, Security: smtp.Security(m.Security), From: m.From, User: m.User, Password: string(m.Password),
		Timeout: attemptTimeout,
	}, nil
}

// statusPages finds status pages as the organisation folder has them now. All that lie in this data folder are written one after the
// other.
func statusPages(live *org.Live, data string) func(id string) (activities.Page, error) {
	local := &localpage.Pages{Folder: filepath.Join(data, "status")}
	return func(id string) (activities.Page, error) {
		o := live.Current()
		p, err := o.StatusPage(id)
		if err != nil {
			return nil, err
		}
		if p.System == org.HostedPage {
			return &statuspage.Page{
				Guard: outbound.Guard{Allow: o.OwnNetworks()}, Timeout: attemptTimeout / 3, URL: string(p.API), ID: p.Page, Key: string(p.Key),
			}, nil
		}
		return &localpage.Page{Pages: local, Name: p.Folder, Title: p.Name, Languages: o.Languages, URL: p.URL, Zone: o.Zone}, nil
	}
}
