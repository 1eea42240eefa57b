package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/oncall"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/starter/api"
)

// wholeDeeds are the deeds by which an incident is led to its end: who helps, why it happened, what the customers get and say, and
// which other incidents it has to do with.
func (a *app) wholeDeeds() []deed {
	return []deed{
		a.addResponder(), a.cause(), a.vendorCase(), a.setTime(), a.sendReport(), a.answerFix(), a.startRunbook(), a.endRunbook(), a.merge(),
		{
			use: "split INCIDENT REASON...", short: "Take back that it was merged into another incident",
			long: "Take back that the incident was merged into another one. It is open again, with its own customers and promises, which run on\n" +
				"from where they began.",
			example: "split " + anID + ` "another cause after all"`,
			command: a.saying(func(s string) incident.Command { return incident.Split{Reason: s} }),
		},
		a.relate(),
	}
}

func (a *app) addResponder() deed {
	return deed{
		use: "add-responder INCIDENT WHO NOTE...", short: "Ask somebody, or a team, to help",
		long: "Ask a person of the organisation to help, or a team: group:ID or schedule:ID. Each is paged by one contact method after the other\n" +
			"until one of them acknowledges, whoever else has; whoever asked is told when nobody comes in time, and may ask again. How long they have is said by the agreement with that team, if there\n" +
			"is one (agreements.yaml), else by the first step of the escalation.",
		example: "add-responder " + anID + ` lee "the database does not answer"` + "\n" +
			"add-responder " + anID + ` group:noc "take over: it is the network"`,
		command: func(args []string) (incident.Command, error) {
			note, err := a.text(args[1:])
			if strings.Contains(args[0], ":") {
				return incident.AddResponder{Team: args[0], Note: note}, err
			}
			return incident.AddResponder{Person: args[0], Note: note}, err
		},
	}
}

func (a *app) cause() deed {
	var vendor string
	return deed{
		use: "cause INCIDENT DOMAIN TEXT...", short: "Say why it happened, which decides who handles it",
		long: "Say why it happened, as far as it is known; what is said later replaces it. Of a vendor a case is opened: its contacts are told,\n" +
			"its clock runs, and whoever files the case is told how. Of the customer the support manager is told.\nDomains: " + joined(incident.CauseDomains()) + ".",
		example: "cause " + anID + ` ours "the release of this morning leaks connections"` + "\ncause " + anID + ` vendor --vendor skyhost "their storage is slow"`,
		next:    strings.Split(joined(incident.CauseDomains()), ", "),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&vendor, "vendor", "", "whose platform it is: `ID` of a vendor of the organisation folder")
		},
		command: func(args []string) (incident.Command, error) {
			domain := incident.CauseDomain(args[0])
			if !slices.Contains(incident.CauseDomains(), domain) {
				return nil, misused("DOMAIN %q: want %s", args[0], joined(incident.CauseDomains()))
			}
			said, err := a.text(args[1:])
			return incident.SetCause{Domain: domain, Vendor: vendor, Text: said}, err
		},
	}
}

func (a *app) vendorCase() deed {
	var reference string
	return deed{
		use: "case INCIDENT VENDOR [ANSWER...]", short: "Record a vendor's case: its number, or what the vendor has answered",
		long:    "Record under which number a vendor has our case, or what it has answered. With the first answer its clock ends.",
		example: "case " + anID + " skyhost --reference SR-4711\ncase " + anID + ` skyhost "they are replacing a switch"`,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&reference, "reference", "", "the vendor's `NUMBER` of the case")
		},
		command: func(args []string) (incident.Command, error) {
			said, err := a.optionalText(args[1:])
			if err == nil && said == "" && reference == "" {
				err = misused("ANSWER, --reference: want one of them at least")
			}
			return incident.RecordCase{Vendor: args[0], Reference: reference, Text: said}, err
		},
	}
}

func (a *app) setTime() deed {
	return deed{
		use: "time INCIDENT POINT TIME REASON...", short: "Say when something really was",
		long: "Say when one of the five points of the review really was. What was promised is judged by what was recorded as it happened.\nPoints: " +
			joined(incident.Points()) + ". " + times,
		example: "time " + anID + ` engaged "2026-11-26 09:12" "answered by phone, acknowledged later"`,
		next:    strings.Split(joined(incident.Points()), ", "),
		command: func(args []string) (incident.Command, error) {
			point := incident.Point(args[0])
			if !slices.Contains(incident.Points(), point) {
				return nil, misused("POINT %q: want %s", args[0], joined(incident.Points()))
			}
			at, err := a.clockTime("TIME", args[1])
			if err != nil {
				return nil, err
			}
			reason, err := a.text(args[2:])
			return incident.SetTime{Point: point, At: at, Reason: reason}, err
		},
	}
}

func (a *app) sendReport() deed {
	var customer string
	return deed{
		use: "send-report INCIDENT TEXT...", short: "Send the customers their incident result report",
		long: "Send the customers, or one of them, their incident result report: what happened to them and when, what they were promised and\n" +
			"told, and your text, which says why it happened and what was done. It holds nothing of other customers. \"-\" reads the text from\n" +
			"the standard input.",
		example: "send-report " + anID + ` "A release leaked connections; we went back to the one before and test for it now."`,
		flags:   func(cmd *cobra.Command) { customerFlag(cmd, &customer) },
		command: func(args []string) (incident.Command, error) {
			said, err := a.text(args)
			return incident.SendReport{Customer: customer, Text: said}, err
		},
	}
}

func (a *app) answerFix() deed {
	var customer string
	return deed{
		use: "answer INCIDENT ANSWER [NOTE...]", short: "Say for a customer whether what was resolved is fixed",
		long: "Say for a customer whether what was resolved is fixed. What all have found fixed is closed, once the promised\n" +
			"result reports are sent, and the time for reopening is over if a customer is affected that is not asked. What one has not found\n" +
			"fixed is opened again, and wants a note of what is wrong.\nAnswers: " + joined(incident.FixAnswers()) + ".",
		example: "answer " + anID + " fixed --customer garam\nanswer " + anID + ` not-fixed --customer garam "the cart is still empty"`,
		next:    strings.Split(joined(incident.FixAnswers()), ", "),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&customer, "customer", "", "`ID` of the customer; may be left out where one alone is still to answer")
		},
		command: func(args []string) (incident.Command, error) {
			answer := incident.FixAnswer(args[0])
			if !slices.Contains(incident.FixAnswers(), answer) {
				return nil, misused("ANSWER %q: want %s", args[0], joined(incident.FixAnswers()))
			}
			note, err := a.optionalText(args[1:])
			return incident.Answer{Answer: answer, Customer: customer, Note: note}, err
		},
	}
}

func (a *app) startRunbook() deed {
	return deed{
		use: "start-runbook INCIDENT RUNBOOK", short: "Say that you work by a runbook, so that others see it",
		example: "start-runbook " + anID + " https://runbooks.example/checkout",
		command: func(args []string) (incident.Command, error) { return incident.StartRunbook{Runbook: args[0]}, nil },
	}
}

func (a *app) endRunbook() deed {
	return deed{
		use: "end-runbook INCIDENT RUNBOOK OUTCOME [NOTE...]", short: "Say what has come of a runbook",
		long:    "Say what has come of a runbook that somebody works by.\nOutcomes: " + joined(incident.RunbookOutcomes()) + ".",
		example: "end-runbook " + anID + " https://runbooks.example/checkout worked",
		command: func(args []string) (incident.Command, error) {
			outcome := incident.RunbookOutcome(args[1])
			if !slices.Contains(incident.RunbookOutcomes(), outcome) {
				return nil, misused("OUTCOME %q: want %s", args[1], joined(incident.RunbookOutcomes()))
			}
			note, err := a.optionalText(args[2:])
			return incident.EndRunbook{Runbook: args[0], Outcome: outcome, Note: note}, err
		},
	}
}

func (a *app) merge() deed {
	return deed{
		use: "merge INCIDENT INTO REASON...", short: "Make it a part of another incident",
		long: "Make the incident a part of another one, which has its customers, its promises and its alerts from then on. It is paged for no\n" +
			"more, passes on what still reaches it, and ends with the other one. muster incident split takes it back.",
		example: "merge " + anID + ` INC-8M4N0RY3QB "the same outage"`,
		command: func(args []string) (incident.Command, error) {
			reason, err := a.text(args[1:])
			return incident.Merge{Into: id(args), Reason: reason}, err
		},
	}
}

func (a *app) relate() deed {
	return deed{
		use: "relate INCIDENT OTHER KIND [NOTE...]", short: "Relate it to another incident",
		long:    "Say that the incident belongs to another one. Both go on by themselves.\nKinds: " + joined(incident.RelationKinds()) + ".",
		example: "relate " + anID + ` INC-8M4N0RY3QB caused-by "the platform was down"`,
		command: func(args []string) (incident.Command, error) {
			kind := incident.RelationKind(args[1])
			if !slices.Contains(incident.RelationKinds(), kind) {
				return nil, misused("KIND %q: want %s", args[1], joined(incident.RelationKinds()))
			}
			note, err := a.optionalText(args[2:])
			return incident.Relate{To: id(args), Kind: kind, Note: note}, err
		},
	}
}

// optionalText is text that may be left out.
func (a *app) optionalText(words []string) (string, error) {
	if len(words) == 0 {
		return "", nil
	}
	return a.text(words)
}

// times says how a time is written.
const times = `A time is an instant such as 2026-11-26T09:05:00+09:00, a day and time such as "2026-11-26 09:05", or a time of today
such as 09:05, both in the zone of the organisation, in which times are shown, whatever the clock of this computer shows.`

// clockTime reads an instant, or a time in the zone of the organisation, and says what was understood.
func (a *app) clockTime(name, given string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, given); err == nil {
		return at, nil
	}
	wall := given
	if _, err := time.Parse("15:04", given); err == nil {
		wall = time.DateOnly + " " + given // of which day, the zone says
	}
	if _, err := oncall.ParseWallTime(wall); err != nil {
		return time.Time{}, misused(`%s %q: want an instant such as 2026-11-26T09:05:00+09:00, "2026-11-26 09:05", or 09:05 today`, name, given)
	}
	me, err := a.me()
	if err != nil {
		return time.Time{}, err
	}
	zone, err := time.LoadLocation(me.Zone)
	if err != nil || me.Zone == "" {
		return time.Time{}, fmt.Errorf("%s %q: in zone %q of the server: want an instant such as 2026-11-26T09:05:00+09:00", name, given, me.Zone)
	}
	if wall != given {
		wall = a.env.Now().In(zone).Format(time.DateOnly) + " " + given
	}
	shown, err := oncall.ParseWallTime(wall)
	if err != nil {
		return time.Time{}, err
	}
	at := shown.In(zone)
	a.note("%s: %s", name, a.understood(at, me))
	return at, nil
}

// understood says an instant as it was read.
func (a *app) understood(at time.Time, me api.Me) string {
	if a.view.texts == nil { // the answer is for a machine
		return at.Format("2006-01-02 15:04 MST")
	}
	p := a.page(a.env.Stderr, me.Language, me.Zone)
	return fmt.Sprintf("%s (%s)", p.instant(at), p.away(at, p.say.in, p.say.ago))
}

// open reports an incident.
func (a *app) open() *cobra.Command {
	var (
		n                               api.NewIncident
		key, received, occurred, detail string
		impact, urgency, channel        string
	)
	levels := []priority.Level{priority.High, priority.Medium, priority.Low}
	cmd := &cobra.Command{
		Use: "open SERVICE TITLE...", GroupID: "act", Short: "Report an incident that no alert has told of",
		Long: `Report an incident: a customer has called or written, or somebody has noticed it. It pages and promises as if an alert had
opened it, and what was promised runs from when it was received. The answer is what you can tell the caller: the number to ask
under, and until when somebody responds.

` + times + `
Channels: ` + joined(incident.Channels()) + `. Levels: ` + joined(levels) + `.`,
		Example: `  muster incident open garam-shop "nobody can pay" --customer garam --reported-by garam --channel phone --receipt CS-1182
  muster incident open seoul-platform "storage is slow" --received 09:05 --occurred 08:40 --noticed-by "the night shift of Nuri"`,
		Args: wants("SERVICE", "TITLE..."), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			n.Service, n.Title = args[0], strings.Join(args[1:], " ")
			n.Impact, n.Urgency, n.Channel = priority.Level(impact), priority.Level(urgency), supportplan.Channel(channel)
			for _, t := range []struct {
				flag, given string
				into        *time.Time
			}{{"--received", received, &n.Received}, {"--occurred", occurred, &n.Occurred}} {
				if t.given == "" {
					continue
				}
				var err error
				if *t.into, err = a.clockTime(t.flag, t.given); err != nil {
					return err
				}
			}
			a.countsFrom(n.Received)
			if detail != "" {
				var err error
				if n.Text, err = a.text([]string{detail}); err != nil {
					return err
				}
			}
			var o api.Opened
			err := a.once(key, func(key string) (err error) {
				o, err = c.Open(ctx, n, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(o, func(w io.Writer) { a.page(w, o.Language, o.Zone).opened(o) })
		}),
	}
	keyFlag(cmd, &key)
	f := cmd.Flags()
	f.StringSliceVar(&n.Customers, "customer", nil, "`ID` of a customer that is affected, once for each; default: the one that reports it, else all of the service")
	f.StringVar(&n.Customer, "reported-by", "", "`ID` of the customer that has reported it")
	f.StringVar(&channel, "channel", "", "`CHANNEL` by which it came")
	f.StringVar(&n.Receipt, "receipt", "", "`NUMBER` under which it was received; default: the incident's own")
	f.StringVar(&received, "received", "", "`TIME` at which it was received; default: now")
	f.StringVar(&occurred, "occurred", "", "`TIME` at which it began, as far as anybody knows")
	f.StringVar(&n.NoticedBy, "noticed-by", "", "`WHO` has noticed it first")
	f.StringVar(&detail, "text", "", "`TEXT`: what was said; \"-\" reads it from the standard input")
	f.StringVar(&impact, "impact", "", "`LEVEL`; default: the service's")
	f.StringVar(&urgency, "urgency", "", "`LEVEL`; default: the service's")
	_ = cmd.RegisterFlagCompletionFunc("channel", completions(incident.Channels()))
	_ = cmd.RegisterFlagCompletionFunc("impact", completions(levels))
	_ = cmd.RegisterFlagCompletionFunc("urgency", completions(levels))
	return cmd
}

// countsFrom warns of a receipt so long ago that it may be a slip: the promises count from it.
func (a *app) countsFrom(received time.Time) {
	const late = time.Hour
	if !received.IsZero() && a.env.Now().Sub(received) > late && a.view.texts != nil {
		p := a.page(a.env.Stderr, "", "")
		a.note(p.say.countsFrom, p.away(received, p.say.in, p.say.ago))
	}
}

// opened shows what can be told back to whoever has reported an incident.
func (p page) opened(o api.Opened) {
	fmt.Fprintf(p.w, "%s: %s, %s\n", printable(string(o.ID)), p.status(o.Status), p.pressing(o.Priority))
	f := facts{page: p}
	f.add(p.say.receipt, printable(o.Receipt))
	f.add(p.say.received, p.instant(o.Received))
	var dues []string
	for _, r := range o.RespondBy {
		due := fmt.Sprintf("%s: %s (%s)", printable(r.Customer), p.instant(r.Due), p.away(r.Due, p.say.in, p.say.ago))
		if !r.Begins.IsZero() {
			due += fmt.Sprintf(p.say.beginsAt, p.instant(r.Begins))
		}
		dues = append(dues, due)
	}
	f.add(p.say.respondBy, dues...)
	p.rows(p.w, f.rows, text.WrapSoft)
}
