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

	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/internal/change"
	"muster/internal/incident"
	"muster/internal/routine"
	"muster/starter/api"
)

func (a *app) asset() *cobra.Command {
	group := &cobra.Command{
		Use: "asset COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "See what you look after, and what has happened to it",
		Long: `See the assets of assets.yaml in the organisation folder: databases, firewalls, licences, whatever you look after for your customers. Each
has tags by which it is found, deadlines before which plans begin, and a history.`,
		Example: "  muster asset list\n  muster asset list --customer garam --tag tier=data\n  muster asset show garam-shop-db\n  muster asset notice skyhost SH-2026-7 \"Rules are skipped\" --kind bug --product \"SkyHost WAF\" --versions \"<9.3\" --by 2026-12-20",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.listAssets(), a.showAsset(), a.vendorNotice())
	return group
}

// assetLabels are the words of one language that stand beside an asset.
type assetLabels struct {
	id, name, kind, customer, environment, services, tags, vendor, product, owner, alerts, next                                                     string
	deadlines, on, what, lead, days, plan, routine, history, began, ended, event, number, title, whole, reach, bounded, noAlerts, ids, seen, unseen string
	kinds                                                                                                                                           map[asset.EventKind]string
}

func assetLabelsIn(language string) assetLabels {
	if language == "ko" {
		return assetLabels{
			id: "자산", name: "이름", kind: "종류", customer: "고객사", environment: "환경", services: "서비스", tags: "태그", vendor: "벤더", product: "제품", owner: "담당", alerts: "경보 레이블",
			next: "다음 기한", deadlines: "기한", on: "날짜", what: "내용", lead: "시작", days: "%d일 전", plan: "계획", routine: "정기 업무", history: "이력", began: "시작", ended: "종료",
			event: "구분", number: "번호", title: "제목", whole: "환경 전체",
			reach:    "엔진에 남아 있는 기록까지 표시합니다. 보존 기간이 지난 기록은 아카이브에 있습니다: muster audit list",
			bounded:  "더 오래된 이력이 있으나 최근 이력만 표시합니다.",
			noAlerts: "자산의 경보 레이블(alerts)이 없어 인시던트는 이력에 포함되지 않습니다.",
			ids:      "해당 자산", seen: "계획 실행", unseen: "시작하지 못함",
			kinds: map[asset.EventKind]string{asset.Change: "변경", asset.Incident: "인시던트", asset.Plan: "계획 실행", asset.Vendor: "벤더 공지", asset.Visit: "정기 업무"},
		}
	}
	return assetLabels{
		id: "Asset", name: "Name", kind: "Kind", customer: "Customer", environment: "Environment", services: "Services", tags: "Tags", vendor: "Vendor", product: "Product", owner: "Owner",
		alerts: "Labels of alerts", next: "Next deadline", deadlines: "Deadlines", on: "On", what: "What", lead: "Begins", days: "%dd before", plan: "Plan", routine: "Routine", history: "History",
		began: "Begun", ended: "Over", event: "Kind", number: "ID", title: "Title", whole: "all of the environment",
		reach:    "As far back as the engine keeps it; what was over before its retention stands in the archive: muster audit list",
		bounded:  "There is older: the newest stands here.",
		noAlerts: "The asset has no labels of alerts, so no incident stands in its history.",
		ids:      "Assets", seen: "Run", unseen: "could not be started",
		kinds: map[asset.EventKind]string{asset.Change: "change", asset.Incident: "incident", asset.Plan: "plan run", asset.Vendor: "vendor notice", asset.Visit: "routine"},
	}
}

func (a *app) listAssets() *cobra.Command {
	var (
		f    asset.Filter
		tags []string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List assets, and what is due next for each",
		Long:    "List the assets of the organisation folder that you may see, with the next deadline of each. Of several --tag an asset has all.",
		Example: "  muster asset list\n  muster asset list --service garam-shop --environment production\n  muster asset list --tag tier=data --tag site=seoul-1\n  muster asset list --query postgres -o json",
		Args: func(_ *cobra.Command, args []string) error {
			for _, t := range tags {
				key, value, ok := strings.Cut(t, "=")
				if !ok || key == "" {
					return misused("--tag %q: want KEY=VALUE", t)
				}
				f.Tags = append(f.Tags, asset.Tag{Key: key, Value: value})
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			list, err := c.Assets(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) {
				if len(list.Assets) == 0 {
					a.none("no assets", "자산이 없습니다")
					return
				}
				a.page(w, list.Language, list.Zone).assetRows(list.Assets)
			})
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Customer, "customer", "", "only those of the customer with this `ID`")
	flags.StringVar(&f.Service, "service", "", "only those of the service with this `ID`")
	flags.StringVar(&f.Environment, "environment", "", "only those of environments with this `ID`")
	flags.StringVar(&f.Kind, "kind", "", "only those of this `KIND`, a word of the organisation's own")
	flags.StringArrayVar(&tags, "tag", nil, "only those with this tag: `KEY=VALUE`; may be given again")
	flags.StringVar(&f.Text, "query", "", "only those that have this `TEXT` in them")
	return cmd
}

// assetRows shows one row for each asset.
func (p page) assetRows(all []asset.Asset) {
	say := assetLabelsIn(p.language)
	rows := [][]string{p.head(say.id, say.kind, say.customer, say.environment, say.product, say.next, say.tags, say.name)}
	for n := range all {
		x, next := &all[n], ""
		if d, ok := x.Next(p.today()); ok {
			next = d.On.String() + " " + d.Name
		}
		rows = append(rows, []string{
			printable(x.ID), printable(x.Kind), printable(x.Customer.Name), printable(x.Environment.ID), printable(productOf(x)), printable(next),
			printable(tagged(x.Tags)), printable(x.Name),
		})
	}
	p.rows(p.w, rows, cut)
}

// today is the day on which the page is shown, in its zone.
func (p page) today() calendar.Date {
	zone, err := time.LoadLocation(p.zone)
	if err != nil {
		zone = time.UTC
	}
	return calendar.DateOf(p.env.Now().In(zone))
}

func productOf(x *asset.Asset) string { return strings.Join(filledIn(x.Product, x.Version), " ") }

func tagged(all []asset.Tag) string {
	texts := make([]string, len(all))
	for n, t := range all {
		texts[n] = t.Key + "=" + t.Value
	}
	return strings.Join(texts, ", ")
}

func (a *app) showAsset() *cobra.Command {
	return &cobra.Command{
		Use: "show ASSET", Short: "Show an asset and its history on one screen",
		Long: `Show an asset with its deadlines, and what has happened to it, the newest first: the changes that name it, the incidents of its services of
which an alert has its labels, what its vendor has said, and the runs of plans and routines in its environment. It goes back as far as the engine keeps what is
over; the archive has the rest.`,
		Example: "  muster asset show garam-shop-db\n  muster asset show garam-shop-db --lang ko", Args: wants("ASSET"), ValidArgsFunction: a.completeAssets(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			x, err := c.Asset(ctx, args[0])
			if err != nil {
				return err
			}
			return a.answer(x, func(w io.Writer) { a.sheetIn(w, x.Zone).asset(&x) })
		}),
	}
}

// asset shows one asset on one screen.
func (s sheet) asset(shown *api.AssetShown) {
	x, say := &shown.Asset, assetLabelsIn(s.language)
	fmt.Fprintf(s.w, "%s\n\n", s.paint(bold, printable(x.ID+"  "+x.Name)))
	f := facts{page: s.page}
	f.add(say.kind, printable(x.Kind))
	f.add(say.customer, printable(x.Customer.Name))
	f.add(say.environment, printable(x.Environment.Name))
	var services []string
	for _, n := range x.Services {
		services = append(services, n.Name)
	}
	f.add(say.services, printable(strings.Join(services, ", ")))
	f.add(say.tags, printable(tagged(x.Tags)))
	f.add(say.product, printable(productOf(x)))
	if x.Vendor != nil {
		f.add(say.vendor, printable(x.Vendor.Name))
	}
	if x.Owner != nil {
		f.add(say.owner, printable(x.Owner.Name))
	}
	f.add(say.alerts, printable(tagged(x.Alerts)))
	s.rows(s.w, f.rows, text.WrapSoft)
	s.deadlines(x, say)
	s.heading(say.history)
	if len(shown.History) > 0 {
		s.events(shown.History, say)
	}
	if shown.NoAlerts {
		fmt.Fprintln(s.w, say.noAlerts)
	}
	if shown.More {
		fmt.Fprintln(s.w, say.bounded)
	}
	fmt.Fprintln(s.w, say.reach)
}

func (s sheet) deadlines(x *asset.Asset, say assetLabels) {
	if len(x.Deadlines) == 0 {
		return
	}
	s.heading(say.deadlines)
	rows := [][]string{s.head(say.on, say.lead, say.plan, say.routine, say.what)}
	for _, d := range x.Deadlines {
		on, lead := d.On.String(), ""
		if d.Lead > 0 {
			lead = fmt.Sprintf(say.days, d.Lead)
		}
		if d.On < s.today() {
			on = s.paint(red, on)
		}
		rows = append(rows, []string{on, lead, printable(d.Plan), printable(d.Routine), printable(d.Name)})
	}
	s.rows(s.w, rows, cut)
}

// events shows one row for each event of a history.
func (s sheet) events(all []asset.Event, say assetLabels) {
	rows := [][]string{s.head(say.began, say.ended, say.event, say.number, s.say.status, say.title)}
	for n := range all {
		e := &all[n]
		until, title := "", e.Title
		if !e.Until.IsZero() {
			until = s.instant(e.Until)
		}
		if !e.Named {
			title += " (" + say.whole + ")"
		}
		rows = append(rows, []string{s.instant(e.From), until, say.kinds[e.Kind], printable(e.ID), printable(s.eventStatus(e)), printable(title)})
	}
	s.rows(s.w, rows, cut)
}

// eventStatus is where an event stands, in the words of its kind.
func (p page) eventStatus(e *asset.Event) string {
	switch e.Kind {
	case asset.Change:
		return p.view.texts.ChangeStatus(change.Status(e.Status), p.language)
	case asset.Incident:
		return p.view.texts.Status(incident.Status(e.Status), p.language)
	case asset.Plan, asset.Vendor, asset.Visit:
	}
	if slices.Contains(routine.Fates(), routine.Fate(e.Status)) { // a time that had no run
		return p.view.texts.RoutineFate(routine.Fate(e.Status), p.language)
	}
	return p.word("run", e.Status)
}

// completeAssets completes the ID of an asset.
func (a *app) completeAssets() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		list, err := c.Assets(ctx, asset.Filter{})
		for _, x := range list.Assets {
			found = append(found, described(x.ID, x.Kind+": "+x.Name))
		}
		return found, err
	})
}
