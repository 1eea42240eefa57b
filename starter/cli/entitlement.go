package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/oncall"
	"muster/internal/org"
	"muster/internal/supportplan"
)

// An enquiry is a request that a customer could make.
type enquiry struct {
	Customer string              `json:"customer"`
	Plan     string              `json:"plan"`
	Feature  string              `json:"feature"`
	Channel  supportplan.Channel `json:"channel,omitempty"`
	Hours    supportplan.Hours   `json:"hours"`
	At       time.Time           `json:"at"`

	supportplan.Verdict
}

// entitlementOrder is what explain entitlement was asked for.
type entitlementOrder struct {
	customer, feature, channel, at string
	used, visited                  supportplan.Count
}

// check finds what no folder could answer.
func (e *entitlementOrder) check(cmd *cobra.Command) error {
	e.used.Known, e.visited.Known = cmd.Flags().Changed("used"), cmd.Flags().Changed("visited")
	switch {
	case e.customer == "" || e.feature == "":
		return misused("--customer, --feature: want both")
	case e.channel != "" && !slices.Contains(supportplan.Channels(), supportplan.Channel(e.channel)):
		return misused("--channel %q: want one of %s", e.channel, joined(supportplan.Channels()))
	case e.used.N < 0 || e.visited.N < 0:
		return misused("--used %d, --visited %d: want 0 or more", e.used.N, e.visited.N)
	}
	_, err := instant(e.at, time.Time{}, time.UTC)
	return err
}

// instant reads an instant, or a time of day as the clock on the wall of a zone shows it. Nothing is now.
func instant(given string, now time.Time, zone *time.Location) (time.Time, error) {
	if given == "" {
		return now, nil
	}
	if at, err := time.Parse(time.RFC3339, given); err == nil {
		return at, nil
	}
	wall, err := oncall.ParseWallTime(given)
	if err != nil {
		return time.Time{}, misused("--at %q: want an instant such as 2026-11-30T09:00:00+09:00, or 2026-11-30 09:00 in the organisation's zone", given)
	}
	return wall.In(zone), nil
}

func (a *app) explainEntitlement() *cobra.Command {
	var e entitlementOrder
	cmd := a.explains(&cobra.Command{
		Use:   "entitlement --customer ID --feature ID",
		Short: "Check whether a customer's request would be covered",
		Long: `Check whether a customer's request would be covered: what the support plan and the customer's contract include, whether the
channel is served at that time, what is left of a quota, and what can be offered instead. What nobody can tell from the
folder is not guessed: a person decides.

Channels: ` + joined(supportplan.Channels()) + `.`,
		Example: "  muster explain entitlement --org ./org --customer garam --feature cdn\n" +
			"  muster explain entitlement --org ./org --customer garam --feature visit --channel on-site --at \"2026-11-30 09:00\" --visited 3",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := wants()(nil, args); err != nil {
				return err
			}
			return e.check(cmd)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, _ []string) error { return a.explainRequest(o, e) })
	f := cmd.Flags()
	f.StringVar(&e.customer, "customer", "", "`ID` of the customer")
	f.StringVar(&e.feature, "feature", "", "`ID` of a feature in the entitlement table of its support plan")
	f.StringVar(&e.channel, "channel", "", "`CHANNEL` by which the request comes; default: the support hours of the plan count")
	f.StringVar(&e.at, "at", "", "`TIME` at which it comes; default: now")
	f.IntVar(&e.used.N, "used", 0, "`NUMBER` of uses in the period of the quota so far; without it nobody knows")
	f.IntVar(&e.visited.N, "visited", 0, "`NUMBER` of visits in this year so far; without it nobody knows")
	_ = cmd.RegisterFlagCompletionFunc("channel", completions(supportplan.Channels()))
	return cmd
}

// explainRequest checks one request against a folder.
func (a *app) explainRequest(o *org.Organisation, e entitlementOrder) error {
	entitled, err := o.Entitlement(e.customer)
	if err != nil {
		return err
	}
	if _, known := entitled.Table.Feature(e.feature); !known && entitled.Table.ID != "" {
		return fmt.Errorf("feature %q: not in the entitlement table %s; muster explain plan %s shows what is",
			e.feature, entitled.Table.ID, entitled.Contract.Plan)
	}
	at, err := instant(e.at, a.env.Now(), o.Zone)
	if err != nil {
		return err
	}
	hours := entitled.Terms.HoursOf(supportplan.Channel(e.channel))
	open, err := o.Open(hours, at)
	if err != nil {
		return err
	}
	v := enquiry{
		Customer: e.customer, Plan: entitled.Contract.Plan, Feature: e.feature, Channel: supportplan.Channel(e.channel), Hours: hours, At: at,
		Verdict: entitled.Check(supportplan.Request{
			Feature: e.feature, At: at, Zone: o.Zone, Hours: open, Used: e.used, Visited: e.visited,
		}),
	}
	return a.answer(v, func(w io.Writer) { a.sheet(w, o).verdict(o, entitled, v) })
}

// verdict shows what a check came to, and why.
func (s sheet) verdict(o *org.Organisation, e supportplan.Entitlement, v enquiry) {
	t, l := s.view.texts, s.language
	customer, _ := o.Party(v.Customer)
	plan, _ := o.Plan(v.Plan)
	feature, _ := e.Table.Feature(v.Feature)
	fmt.Fprintln(s.w, s.paint(bold, printable(customer.Name+": "+name(feature, v.Feature, l))))
	fmt.Fprintf(s.w, "%s\n\n", s.outcome(v.Outcome))
	f := facts{page: s.page}
	f.add(s.plan, printable(plan.Name))
	f.add(s.received, s.instant(v.At))
	served := t.Hours(v.Hours, l)
	if v.Channel != "" {
		served = t.Channel(v.Channel, l) + ": " + served
	}
	f.add(s.hours, printable(served))
	s.found(&f, v.Verdict, e.Table)
	s.rows(s.w, f.rows, text.WrapSoft)
}

// outcome is what a check came to.
func (s sheet) outcome(o supportplan.Outcome) string {
	shade := map[supportplan.Outcome]colour{supportplan.Covered: green, supportplan.Undecided: yellow, supportplan.Outside: red}
	return s.paint(shade[o], s.view.texts.Outcome(o, s.language))
}

// found adds what a check has found, given the table whose levels it offers.
func (s sheet) found(f *facts, v supportplan.Verdict, table supportplan.Table) {
	t, l := s.view.texts, s.language
	var reasons, offers, limits []string
	for _, r := range v.Reasons {
		reasons = append(reasons, t.Reason(r, l, s.zone))
	}
	for _, x := range v.Offers {
		offers = append(offers, t.Offer(x, table, l, s.zone))
	}
	for _, x := range v.Limits {
		limits = append(limits, t.Limit(x, l))
	}
	f.add(s.why, each(reasons)...)
	f.add(s.offers, each(offers)...)
	f.add(s.limits, each(limits)...)
	f.add(s.note, printable(v.Note.In(l)))
}

// name is what a feature is called, its ID where the table does not have it.
func name(f supportplan.Feature, id, language string) string {
	if f.ID == "" {
		return id
	}
	return f.Name.In(language)
}
