package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// A sheet is a page about what was promised.
type sheet struct {
	page
	sheetLabels
}

// sheetIn begins one in a zone, of what is read from a server.
func (a *app) sheetIn(w io.Writer, zone string) sheet {
	p := a.page(w, "", zone)
	return sheet{p, sheetLabelsIn(p.language)}
}

// sheet begins one, in the organisation's language and zone where the reader has set none.
func (a *app) sheet(w io.Writer, o *org.Organisation) sheet {
	p := a.page(w, o.Languages[0], o.Zone.String())
	return sheet{p, sheetLabelsIn(p.language)}
}

// sheetLabels are the words of one language that stand beside what was promised.
type sheetLabels struct {
	plan, source, ours, hours, channels, atRisk, atRiskAt, visits, preventive, engineer, confirm, workingDays, workingDay, days, availability, onTop string

	targets, target, lasting, requests, entitlements, limits, feature, grant, item, customer, note, request string

	received, why, offers, silent, agreed string
}

func sheetLabelsIn(language string) sheetLabels {
	if language == "ko" {
		return sheetLabels{
			plan: "지원 등급", source: "출처", ours: "자체 추가", hours: "지원 시간", channels: "채널별 지원 시간", atRisk: "임박 기준",
			atRiskAt: "시간의 %d%% 사용", visits: "방문 지원", preventive: "예방 점검", engineer: "담당 엔지니어", confirm: "해결 여부 문의",
			workingDay: "1영업일", days: "%d영업일", workingDays: "고객사가 %d영업일 안에 해결 여부를 알림", availability: "가용성", onTop: "%s (별도 적용)",
			targets: "목표", target: "목표", lasting: "시간", requests: "요청별 목표", entitlements: "제공 범위", limits: "제약사항", feature: "항목", grant: "제공", item: "항목",
			customer: "고객사", note: "비고", request: "요청",
			received: "접수 시각", why: "사유", offers: "제안", silent: "약속 없음", agreed: "협의(계약에 횟수 입력)",
		}
	}
	return sheetLabels{
		plan: "Support plan", source: "Source", ours: "Ours", hours: "Support hours", channels: "By channel", atRisk: "At risk",
		atRiskAt: "when %d%% of the time is used", visits: "Visits", preventive: "Preventive check", engineer: "Engineer", confirm: "Confirmation",
		workingDay: "1 working day", days: "%d working days", workingDays: "the customer says within %d working days whether it is fixed", availability: "Availability", onTop: "%s on top",
		targets: "Targets", target: "Target", lasting: "Within", requests: "Targets of requests", entitlements: "Entitlements", limits: "Limits", feature: "Feature", grant: "Grant",
		item: "Item", customer: "Customer", note: "Note", request: "Request",
		received: "Received", why: "Why", offers: "Offers", silent: "not promised", agreed: "by agreement: the number stands in the contract",
	}
}

// explainedPlan is all that a folder says of a support plan.
type explainedPlan struct {
	Plan         supportplan.Plan   `json:"plan"`
	Terms        supportplan.Terms  `json:"terms"`
	Entitlements *supportplan.Table `json:"entitlements,omitempty"`
}

func (a *app) explainPlan() *cobra.Command {
	return a.explains(&cobra.Command{
		Use:     "plan PLAN",
		Short:   "Show all that a support plan promises",
		Long:    "Show all that a support plan promises: targets, support hours, visits, what it includes and where its services end.",
		Example: "  muster explain plan --org ./org cloudon-premium",
		Args:    wants("PLAN"), ValidArgsFunction: cobra.NoFileCompletions,
	}, func(_ context.Context, o *org.Organisation, args []string) error {
		x := explainedPlan{}
		var err error
		if x.Plan, err = o.Plan(args[0]); err != nil {
			return err
		}
		if x.Terms, err = o.Terms(args[0]); err != nil {
			return err
		}
		if x.Terms.Table != "" {
			table, err := o.Entitlements(x.Terms.Table)
			if err != nil {
				return err
			}
			x.Entitlements = &table
		}
		return a.answer(x, func(w io.Writer) { a.sheet(w, o).promised(x) })
	})
}

// promised shows a support plan.
func (s sheet) promised(x explainedPlan) {
	fmt.Fprintf(s.w, "%s\n\n", s.paint(bold, printable(x.Plan.Name)+"  "+x.Plan.ID))
	s.rows(s.w, s.terms(x), text.WrapSoft)
	s.heading(s.targets)
	s.promises(x.Plan, x.Terms.Coverage)
	if len(x.Terms.Requests) > 0 {
		s.heading(s.requests)
		s.requestTargets(x.Terms.Requests)
	}
	limits := x.Terms.Limits
	if t := x.Entitlements; t != nil {
		s.heading(s.entitlements + ": " + printable(t.Name.In(s.language)))
		s.table(*t, x.Terms.Column)
		limits = slices.Concat(t.Limits, limits)
	}
	if len(limits) > 0 {
		s.heading(s.limits)
		s.ends(limits)
	}
}

func (s sheet) heading(what string) { fmt.Fprintf(s.w, "\n%s\n", s.paint(bold, what)) }

// terms are the lines at the top of a support plan.
func (s sheet) terms(x explainedPlan) [][]string {
	t, l, terms := s.view.texts, s.language, x.Terms
	f := facts{page: s.page}
	f.add(s.source, printable(terms.Source))
	f.add(s.ours, printable(terms.Ours.In(l)))
	f.add(s.hours, printable(t.Hours(terms.Coverage, l)))
	var channels, availability []string
	for _, c := range terms.Channels {
		channels = append(channels, printable(t.Channel(c.Channel, l)+": "+t.Hours(c.Hours, l)))
	}
	f.add(s.channels, channels...)
	f.add(s.sheetLabels.atRisk, fmt.Sprintf(s.atRiskAt, x.Plan.AtRisk))
	if v := terms.Visits; v != nil {
		often := s.agreed
		if !v.ByAgreement {
			often = t.Quota(supportplan.Quota{Count: v.PerYear, Per: supportplan.Year}, l)
		}
		f.add(s.visits, often)
		f.add(s.preventive, t.Preventive(v.Preventive, l))
	}
	if terms.Engineer != "" {
		f.add(s.engineer, t.Engineer(terms.Engineer, l))
	}
	if k := x.Plan.Confirm; k != nil {
		f.add(s.confirm, fmt.Sprintf(s.workingDays, k.Days))
	}
	for _, a := range terms.Availability {
		line := t.Layer(a.Of, l) + " " + a.Percent + "%"
		if a.OnTop {
			line = fmt.Sprintf(s.onTop, line)
		}
		availability = append(availability, printable(line))
	}
	f.add(s.availability, availability...)
	return f.rows
}

// promises shows the targets of incidents by priority.
func (s sheet) promises(p supportplan.Plan, coverage supportplan.Hours) {
	names := []string{s.say.priority}
	for _, t := range supportplan.Targets() {
		names = append(names, s.view.texts.Target(t, s.language))
	}
	rows := [][]string{s.head(names...)}
	for _, pr := range priority.All() {
		row := []string{s.pressing(pr)}
		for _, t := range supportplan.Targets() {
			x, promised := p.Promise(pr, t)
			row = append(row, s.promise(x, promised, coverage))
		}
		rows = append(rows, row)
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// promise is a time or working days, with the calendar where that is not the coverage of the plan.
func (s sheet) promise(p supportplan.Promise, promised bool, coverage supportplan.Hours) string {
	said := s.within(p.Within, promised)
	if p.Days > 0 {
		said = s.workingDay
		if p.Days > 1 {
			said = fmt.Sprintf(s.days, p.Days)
		}
	}
	if h := supportplan.Hours(cmp.Or(p.Calendar, string(supportplan.AroundTheClock))); promised && h != coverage {
		said += " (" + printable(s.view.texts.Hours(h, s.language)) + ")"
	}
	return said
}

func (s sheet) within(d time.Duration, promised bool) string {
	if !promised {
		return s.paint(dim, s.silent)
	}
	return s.view.texts.Duration(d, s.language)
}

// requestTargets shows the targets of requests.
func (s sheet) requestTargets(all []supportplan.RequestTarget) {
	rows := [][]string{s.head(s.request, s.sheetLabels.target, s.lasting)}
	for _, r := range all {
		rows = append(rows, []string{
			printable(s.view.texts.RequestKind(r.Kind, s.language)), s.view.texts.Target(r.Target, s.language), s.within(r.Within, true),
		})
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// table shows what one column of an entitlement table gives, by group.
func (s sheet) table(t supportplan.Table, column string) {
	shades := map[supportplan.GrantKind]colour{
		supportplan.Included: green, supportplan.Limited: green, supportplan.Unknown: yellow, supportplan.NotIncluded: dim,
	}
	rows := [][]string{s.head(s.feature, "ID", s.grant, s.sheetLabels.note)}
	for _, g := range t.Groups {
		rows = append(rows, []string{s.paint(bold, printable(g.Name.In(s.language)))})
		for _, f := range g.Features {
			grant := t.Grant(f, column)
			rows = append(rows, []string{
				"  " + printable(f.Name.In(s.language)), f.ID, s.paint(shades[grant.Kind], s.view.texts.Grant(grant, s.language)),
				printable(f.Note.In(s.language)),
			})
		}
	}
	s.rows(s.w, rows, text.WrapSoft)
}

// ends shows where services end.
func (s sheet) ends(limits []supportplan.Limit) {
	rows := [][]string{s.head(s.item, s.sheetLabels.customer, s.sheetLabels.note)}
	for _, l := range limits {
		burden := ""
		if l.Customer != "" {
			burden = s.view.texts.Burden(l.Customer, s.language)
		}
		rows = append(rows, []string{printable(l.Item.In(s.language)), burden, printable(l.Note.In(s.language))})
	}
	s.rows(s.w, rows, text.WrapSoft)
}
