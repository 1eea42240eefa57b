package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/authority"
	"muster/internal/org"
	"muster/internal/period"
	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/internal/wholefile"
)

// reports has the commands on reports that are written from what was archived.
func (a *app) reports() *cobra.Command {
	group := &cobra.Command{
		Use: "report COMMAND", DisableFlagsInUseLine: true, GroupID: "check", Short: "Write weekly, monthly and other reports from the archive, and recount them",
		Long: `Write reports on a week, a month, a quarter or a year from the bundles in an archive, hand in what no history holds, and recount
every figure of a report from the bundles that it names. They need folders and nothing else: no server, no network.`,
		Example: "  muster report import costs.csv --kind billing --customer garam --period 2026-11 --into ./imports\n" +
			"  muster report period 2026-11 --customer garam --archive ./archive --imports ./imports --format html --out garam-2026-11.html\n" +
			"  muster report verify 2026-11.json --archive ./archive",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.reportPeriod(), a.reportImport(), a.reportVerify())
	return group
}

// reportLabels are the words of these commands.
type reportLabels struct {
	erased, quiet, security, written, imported, again, corrected, verified, unlooked, zone, zones, stranger string
}

func reportLabelsIn(language string) reportLabels {
	if language == "ko" {
		return reportLabels{
			erased:   "번들 %d건은 보존 기한이 지나 삭제됨(가장 최근 종료일 %s). 그 이전 기간은 남은 번들만으로 집계됨",
			quiet:    "%s: 인시던트와 변경이 없어 주간보고서를 발행하지 않음",
			security: "보안 인시던트 %d건은 %s의 보고서에서 제외됨. 포함하려면 --security",
			written:  "%s: 수치 %d개, 증적 번들 %d개",
			imported: "%s: %d행, SHA-256 %s",
			again:    "%s: 같은 내용이 이미 있음, SHA-256 %s", corrected: "%s: %d판을 정정함, %d행, SHA-256 %s",
			verified: "%s: 수치 %d개를 증적 번들 %d개에서 재집계함. 모두 일치함",
			unlooked: ". 제출 자료 %d건은 확인하지 않음(--imports 필요)",
			zone:     "시간대: %s(증적 번들 기준). 다른 시간대는 --zone",
			zones:    "시간대: UTC. 증적 번들의 시간대가 서로 다름(%s). 시간대 지정은 --zone",
			stranger: "고객사 %q의 제출 자료가 있으나 증적 번들과 조직 폴더에 없는 고객사임. 고객사 ID 확인 필요",
		}
	}
	return reportLabels{
		erased:   "%d bundle(|s) (was|were) erased when their retention was over, the last of them of %s: what was before is counted from those that are left",
		quiet:    "%s: no incident and no change, so no weekly report is issued",
		security: "%d security incident(|s) (is|are) not in the report of %s; --security counts them",
		written:  "%s: %d figure(|s) from %d bundle(|s)",
		imported: "%s: %d row(|s), SHA-256 %s",
		again:    "%s: the same content is there already, SHA-256 %s", corrected: "%s: it corrects revision %d, %d row(|s), SHA-256 %s",
		verified: "%s: %d figure(|s) recounted from %d bundle(|s); all are as they are written",
		unlooked: "; %d import(|s) (was|were) not looked at, for want of --imports",
		zone:     "time zone: %s, as the bundles have it; --zone names another",
		zones:    "time zone: UTC, for the bundles do not agree on one (%s); --zone names one",
		stranger: "something was handed in for customer %q, whom neither a bundle nor an organisation folder knows; want a look at the ID",
	}
}

// formats are those of a report, by what --format says.
func formats() []string { return []string{"md", "html", "pdf", "csv", "json"} }

// periodOrder is what a report is to be about.
type periodOrder struct {
	vault

	customer, imports, org, zone, at, format, out string
	security, force                               bool
}

func (o *periodOrder) check(args []string) error {
	if _, err := period.Parse(args[0]); err != nil {
		return misused("%s", err)
	}
	switch {
	case !slices.Contains(formats(), o.format):
		return misused("--format %q: want %s", o.format, joined(formats()))
	case o.security && o.customer == "":
		return misused("--security: it is for the report of a customer; the provider's own has them")
	}
	_, err := instant(o.at, time.Time{}, time.UTC)
	return err
}

func (a *app) reportPeriod() *cobra.Command {
	var o periodOrder
	cmd := &cobra.Command{
		Use:   "period PERIOD",
		Short: "Write the report on a week, a month, a quarter or a year",
		Long: `Write the report on PERIOD: a month such as 2026-11, a quarter such as 2026-Q4, a week such as 2026-W48, or a year. It is counted
from the bundles in the archive, and each figure names those that it was counted from. With --customer it is what that customer may
read; without, it is the provider's own. A weekly report is issued only when there was an incident or a change.

The organisation folder, where one is given, says which services there are, what availability and how many visits were promised,
and in which time zone a day begins.`,
		Example: "  muster report period 2026-11 --archive ./archive --format html --out 2026-11.html\n" +
			"  muster report period 2026-W48 --customer garam --archive ./archive --imports ./imports --org ./org --lang ko\n" +
			"  muster report period 2026-Q4 --archive ./archive --format json --out 2026-Q4.json",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("PERIOD")(nil, args); err != nil {
				return err
			}
			return o.check(args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			return a.writePeriod(cmd.Context(), args[0], o)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.customer, "customer", "", "`ID` of the customer for whom it is")
	a.vaultFlags(cmd, &o.vault)
	f.StringVar(&o.imports, "imports", "", "`FOLDER` with what was handed in by muster report import")
	a.orgFlag(cmd, &o.org, "organisation `FOLDER`; default: MUSTER_ORG")
	f.StringVar(&o.zone, "zone", "", "IANA `NAME` of the time zone; default: the organisation's, else that on which all bundles agree, else UTC")
	f.StringVar(&o.at, "at", "", "`TIME` as of which it is; default: now")
	f.StringVar(&o.format, "format", "md", "`FORMAT`: "+joined(formats()))
	f.StringVar(&o.out, "out", "", "`FILE` to write; default: the standard output")
	f.BoolVar(&o.force, "force", false, "replace FILE though it has other content")
	f.BoolVar(&o.security, "security", false, "with the security incidents of the customer")
	f.StringVar(&a.view.lang, "lang", "", "`LANGUAGE`, en or ko; default: MUSTER_LANG, else that of the terminal, else the organisation's")
	_ = cmd.RegisterFlagCompletionFunc("format", completions(formats()))
	_ = cmd.RegisterFlagCompletionFunc("lang", completions(languages()))
	_ = cmd.MarkFlagDirname("imports")
	return cmd
}

func (a *app) writePeriod(ctx context.Context, of string, o periodOrder) error {
	asked := period.Asked{Period: of, Zone: o.zone, Customer: o.customer, Restricted: o.security}
	language := a.language()
	var house *org.Organisation
	if o.org != "" {
		var err error
		if house, err = org.LoadAsOf(o.org, a.env.Now()); err != nil {
			return err
		}
		if err := promisedBy(house, &asked); err != nil {
			return err
		}
		asked.Zone = cmp.Or(o.zone, house.Zone.String())
		if language == "" {
			language = house.Languages[0]
		}
	}
	records, err := a.states(ctx, o.vault)
	if err != nil {
		return err
	}
	say := reportLabelsIn(language)
	if asked.Zone == "" {
		asked.Zone = a.zoneOf(records, say)
	}
	if asked.Until, err = o.until(house, asked.Zone, a.env.Now()); err != nil {
		return err
	}
	facts, err := period.Compute(records, asked, time.LoadLocation)
	if err != nil {
		return err
	}
	if house != nil {
		facts.Organisation = cmp.Or(facts.Organisation, house.Name)
	}
	if err := a.takeImports(facts, records, house, o, say); err != nil {
		return err
	}
	if facts.LeftOut > 0 {
		a.note("%s", numbered(say.security, facts.LeftOut, period.Called(facts.CustomerNames, o.customer)))
	}
	if weekly(of) && !facts.Eventful() && !resourcesChanged(facts.Imports) {
		a.note(say.quiet, of)
		return nil
	}
	out, err := a.written(facts, o.format, language, asked.Until)
	if err != nil {
		return err
	}
	if o.out == "" {
		_, err := a.env.Stdout.Write(out)
		return err
	}
	if err := o.keep(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	a.note("%s", numbered(say.written, o.out, len(facts.Figures), len(facts.Bundles)))
	return nil
}

// zoneOf is the time zone of the report where nobody says one: that of the bundles where they agree on one.
func (a *app) zoneOf(records []period.Record, say reportLabels) string {
	all := period.ZonesOf(records)
	switch len(all) {
	case 0:
		return "UTC"
	case 1:
		a.note(say.zone, all[0])
		return all[0]
	}
	a.note(say.zones, strings.Join(all, ", "))
	return "UTC"
}

// until is the instant as of which the report is. It is read in the zone of the organisation folder, else in that of the report.
func (o *periodOrder) until(house *org.Organisation, named string, now time.Time) (time.Time, error) {
	zone := time.UTC
	if house != nil {
		zone = house.Zone
	} else if z, err := time.LoadLocation(named); err == nil { // else the count says what is wrong with it
		zone = z
	}
	at, err := instant(o.at, now, zone)
	if err == nil && at.After(now) {
		err = misused("--at %q: it is still to come; want a time until now", o.at)
	}
	return at.UTC(), err
}

// takeImports puts into facts what was handed in for their customer, and names those customers for whom something was handed in and
// whom nothing else knows: a slip of the pen would else be read by nobody.
func (a *app) takeImports(f *period.Facts, records []period.Record, house *org.Organisation, o periodOrder, say reportLabels) (err error) {
	if o.imports != "" {
		if o.customer != "" {
			if f.Imports, err = importsOf(o.imports, o.customer, f.Period); err != nil {
				return err
			}
		}
		known := period.CustomersOf(records)
		found, err := importedFor(o.imports)
		if err != nil {
			return err
		}
		for _, id := range found {
			listed := false
			if house != nil {
				_, listed = house.Party(id)
			}
			if !listed && !slices.Contains(known, id) {
				a.note(say.stranger, id)
			}
		}
	}
	if o.customer != "" && o.org == "" && len(f.Imports) == 0 && len(f.CustomerNames) == 0 {
		return fmt.Errorf("report on %s: nothing in the archive is about customer %q; --org names the folder that knows it", f.Period, o.customer)
	}
	return nil
}

// keep writes the file of a report. One that was written before, and may have been sent, is replaced only where that was said.
func (o *periodOrder) keep(content []byte) error {
	if o.force {
		return wholefile.Write(o.out, content, 0o644)
	}
	err := wholefile.Create(o.out, content, 0o644)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if before, err := os.ReadFile(o.out); err != nil || !bytes.Equal(before, content) {
		return errors.Join(err, fmt.Errorf("%s is there with other content: want another file, or --force", o.out))
	}
	return nil
}

// written is a report in the format that was asked for.
func (a *app) written(f *period.Facts, format, language string, at time.Time) ([]byte, error) {
	switch format {
	case "json":
		return f.JSON()
	case "csv":
		return f.CSV()
	}
	return a.view.texts.Period(f, report.Edition{Language: language, Format: report.Format(format), At: at})
}

func weekly(of string) bool { return strings.Contains(of, "-W") }

// resourcesChanged tells whether what was handed in says so.
func resourcesChanged(all []period.Import) bool {
	return slices.ContainsFunc(all, func(i period.Import) bool {
		return i.Kind == period.Resources && slices.ContainsFunc(i.Rows(), func(row []string) bool { return row[3] != "none" })
	})
}

// promisedBy takes from the organisation folder which services the customers of a report use, and what they were promised.
func promisedBy(o *org.Organisation, a *period.Asked) error {
	if p, known := o.Party(a.Customer); a.Customer != "" && (!known || p.Kind != authority.Customer) {
		return fmt.Errorf("report on %s: customer %q: not in the organisation folder", a.Period, a.Customer)
	}
	for _, s := range o.Services() {
		for _, c := range s.Customers {
			if a.Customer == "" || c.ID == a.Customer {
				a.Services = append(a.Services, period.Service{Customer: c.ID, ID: s.ID, Name: s.Name})
			}
		}
	}
	for _, c := range o.Contracts() {
		if a.Customer != "" && c.Customer != a.Customer {
			continue
		}
		if p, known := o.Party(c.Customer); known {
			a.Customers = append(a.Customers, period.Name{ID: p.ID, Name: p.Name})
		}
		terms, err := o.Terms(c.Plan)
		if err != nil {
			return err
		}
		for _, x := range terms.Availability {
			a.Promised = append(a.Promised, period.Target{Customer: c.Customer, Of: x.Of, Percent: x.Percent})
		}
		if visits := (supportplan.Entitlement{Terms: terms, Contract: c}).VisitsBought(); visits > 0 {
			a.Bought = append(a.Bought, period.Visits{Customer: c.Customer, PerYear: visits})
		}
	}
	return nil
}

func (a *app) reportVerify() *cobra.Command {
	var v vault
	imports := ""
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Recount every figure of a report from the bundles that it names",
		Long: `Recount every figure of a report that muster report period --format json has written: from the bundles that the figure names, and
from the whole archive. It fails where a bundle is missing or another one, and where a figure or a list is not what they say, and
names each. With --imports it also checks what was handed in.`,
		Example: "  muster report period 2026-11 --archive ./archive --format json --out 2026-11.json\n  muster report verify 2026-11.json --archive ./archive",
		Args: func(_ *cobra.Command, args []string) error {
			return wants("FILE")(nil, args)
		},
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			return a.verifyPeriod(cmd.Context(), args[0], v, imports)
		}),
	}
	a.vaultFlags(cmd, &v)
	cmd.Flags().StringVar(&imports, "imports", "", "`FOLDER` with what was handed in by muster report import")
	_ = cmd.MarkFlagDirname("imports")
	a.viewFlags(cmd)
	return cmd
}

// A verified report is what a recount has come to.
type verified struct {
	File        string   `json:"file"`
	Period      string   `json:"period"`
	Customer    string   `json:"customer,omitempty"`
	Figures     int      `json:"figures"`
	Bundles     int      `json:"bundles"`
	Unlooked    int      `json:"imports_not_looked_at,omitempty"`
	Differences []string `json:"differences"`
}

func (a *app) verifyPeriod(ctx context.Context, file string, in vault, imports string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	facts, err := period.Read(content)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	records, err := a.states(ctx, in)
	if err != nil {
		return err
	}
	v := verified{File: file, Period: facts.Period, Customer: facts.Customer, Figures: len(facts.Figures), Bundles: len(facts.Bundles)}
	if v.Differences, err = period.Verify(facts, records, time.LoadLocation); err != nil {
		return err
	}
	if imports != "" {
		kept, err := importsOf(imports, facts.Customer, facts.Period)
		if err != nil {
			return err
		}
		v.Differences = append(v.Differences, importsDiffer(facts.Imports, kept)...)
	} else {
		v.Unlooked = len(facts.Imports)
	}
	if v.Differences == nil {
		v.Differences = []string{}
	}
	if n := len(v.Differences); n > 0 {
		if a.view.output != "table" {
			if err := a.answer(v, func(io.Writer) {}); err != nil {
				return err
			}
		}
		return fmt.Errorf("%s: it is not what the archive says:\n%s", file, strings.Join(v.Differences, "\n"))
	}
	return a.answer(v, func(w io.Writer) {
		say := reportLabelsIn(a.language())
		done := numbered(say.verified, file, v.Figures, v.Bundles)
		if v.Unlooked > 0 {
			done += numbered(say.unlooked, v.Unlooked)
		}
		lines(w, done+"\n")
	})
}

// importsDiffer says which imports are not those that a report was written with.
func importsDiffer(written, kept []period.Import) (all []string) {
	for _, i := range written {
		name := fmt.Sprintf("import %s of %s for %s, revision %d", i.Kind, i.Customer, i.Period, i.Revision)
		n := slices.IndexFunc(kept, func(k period.Import) bool { return k.Kind == i.Kind && k.Period == i.Period })
		switch {
		case n < 0:
			all = append(all, name+": it is not in the folder")
		case kept[n].SHA256 != i.SHA256:
			all = append(all, fmt.Sprintf("%s: written with SHA-256 %s; the folder has revision %d with %s", name, i.SHA256, kept[n].Revision, kept[n].SHA256))
		}
	}
	return all
}
