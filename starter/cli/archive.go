package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/audit"
	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/encryption"
	"muster/internal/keyring"
	"muster/internal/period"
	"muster/internal/timeline"
	"muster/starter/api"
)

// archiveWords are the words of one language about archives.
type archiveWords struct {
	closed, kind, id, priority, outcome, customers, services, file, running, none                   string // a list
	what, ran, level, of, about, workflow, runs, people, code, changes, encrypted, parts            string // one bundle
	whole, gap, missing, absent, unlogged, leftover, notWhole, erased, hasty, altered, waiting, old string // completeness

	kinds    map[string]string // of workflows; empty: as they are, and as --kind takes them
	outcomes map[string]string // of those that have no status of their own, in the same way
}

func archiveWordsIn(language string) archiveWords {
	if language == "ko" {
		return archiveWords{
			closed: "종료", kind: "종류", id: "번호", priority: "우선순위", outcome: "결과", customers: "고객사", services: "서비스", file: "파일", running: "진행 중",
			none: "해당하는 번들 없음", what: "종류", ran: "기간", level: "우선순위", of: "고객사", about: "서비스", workflow: "워크플로", runs: "실행", people: "관계자", code: "코드 버전", changes: "변경 ID", encrypted: "암호화 키", parts: "구성",
			whole: "%s ~ %s: 전수 목록 %d건, 실행 %d건, 번들 %d건", gap: "전수 목록 누락: %s ~ %s", missing: "번들 없음: %s %s, 종료 %s: %s",
			absent: "로그에는 있으나 증적 보관소에 없음: %s", unlogged: "증적 보관소에는 있으나 로그에 없음: %s", leftover: "중단된 보관 작업이 남긴 파일(불필요): %s", notWhole: "번들 %s이(가) 로그에 없음",
			erased: "보존 기한이 지나 삭제된 파일 %d건", altered: "보관된 내용과 다름: %s", waiting: "다음 보관 작업에서 로그에 기록될 파일 %d건", old: "마지막 전수 목록이 %s 전입니다. muster worker의 보관 작업이 실행되고 있는지 확인하십시오.",
			hasty: "보존 기한이 남았는데 로그에 삭제로 기록됨: %s",
			kinds: map[string]string{
				"Incident": "인시던트", "Review": "사후 분석", "Handover": "인수인계", "CertificateReminders": "고객사 인증서 알림", "Archive": "증적 보관",
				"Request": "요청", "ActionItem": "개선 과제", "Escalation": "위험 에스컬레이션", "Usage": "사용량", "Problem": "문제(Problem)", "Change": "변경 요청",
				"EnvironmentLock": "변경 권한", "Silence": "경보 보류", "AlertSilence": "경보 보류", "Heartbeat": "하트비트", "Routine": "정기 업무", "AutomaticResponse": "자동 대응", "Contacts": "연락 수단 확인", "Upgrade": "업그레이드", "GoLive": "오픈", "Readiness": "운영 준비 상태 검토",
				"Maintenance": "유지 보수",
			},
			outcomes: map[string]string{
				"open": "진행 중", "running": "진행 중", "closed": "종료", "completed": "완료", "failed": "실패", "canceled": "취소", "terminated": "강제 종료",
				"timedout": "시간 초과", "continuedasnew": "다음 실행으로 계속", "confirmed": "인수 확인", "declined": "거절", "lapsed": "만료",
			},
		}
	}
	return archiveWords{
		closed: "CLOSED", kind: "KIND", id: "ID", priority: "PRIORITY", outcome: "OUTCOME", customers: "CUSTOMERS", services: "SERVICES", file: "FILE", running: "running",
		none: "no such bundle", what: "Kind", ran: "Ran", level: "Priority", of: "Customers", about: "Services", workflow: "Workflow", runs: "Runs", people: "People", code: "Code", changes: "Changes", encrypted: "Encrypted with", parts: "Parts",
		whole: "%s to %s: %d census(|es) of %d run(|s), %d bundle(|s)", gap: "no census of %s to %s", missing: "no bundle of %s %s, closed %s: %s",
		absent: "in the log, and not in the archive: %s", unlogged: "in the archive, and not in the log: %s", leftover: "left by a pass that was cut off, and of no use: %s", notWhole: "its bundle %s is not in the log",
		erased: "%d file(|s) erased when their retention was over", altered: "it is not what was archived: %s", waiting: "%d file(|s) (waits|wait) for the next pass to be entered in the log", old: "the newest census is %s old: does the archive of muster worker still run?",
		hasty: "the log says it is erased, and its retention is not over: %s",
	}
}

// vault is where an archive is, and by which key its log is proven.
type vault struct{ where, key string }

const (
	archiveVar    = "MUSTER_ARCHIVE"
	archiveKeyVar = "MUSTER_ARCHIVE_KEY"
)

func (a *app) vaultFlags(cmd *cobra.Command, v *vault) {
	cmd.Flags().StringVar(&v.where, "archive", "", "archive: a `FOLDER`, or s3://BUCKET?region=REGION; default: "+archiveVar+", else that of the data folder")
	cmd.Flags().StringVar(&v.key, "key", "", "`FILE` with the public key of its log; default: "+archiveKeyVar+", else that of the data folder")
	_ = cmd.MarkFlagDirname("archive")
	_ = cmd.MarkFlagFilename("key", "pub")
	a.decryptFlag(cmd)
}

// decryptFlag is for commands that read bundles, which may be encrypted.
func (a *app) decryptFlag(cmd *cobra.Command) {
	a.payloadKeysFlag(cmd, &a.payloadKeys, "read what is encrypted with the payload keys in this `FILE`")
}

// decrypts are the payload keys that were given, nil when none were.
func (a *app) decrypts() (encryption.Keys, error) {
	if a.payloadKeys == "" {
		return nil, nil
	}
	return keyring.OpenPayloads(a.payloadKeys, a.env.Now)
}

// mostKey bounds a file of public keys.
const mostKey = 1 << 20

// vaultKey is the file with the public key of an archive.
func (a *app) vaultKey(v vault) string {
	return cmp.Or(v.key, a.env.Getenv(archiveKeyVar), filepath.Join(a.dataFolder(""), "archive.pub"))
}

// read opens an archive, does something with it, and closes it.
func (a *app) read(ctx context.Context, v vault, do func(*audit.Reader) error) error {
	where := cmp.Or(v.where, a.env.Getenv(archiveVar), filepath.Join(a.dataFolder(""), "archive"))
	key := a.vaultKey(v)
	text, err := bundle.Load(key, mostKey)
	if err != nil {
		return fmt.Errorf("read public key of the archive: %w; want --key", err)
	}
	keys, err := bundle.ParseKeys(key, text)
	if err != nil {
		return err
	}
	b, err := bucket.Existing(ctx, where)
	if err != nil {
		return err
	}
	r, err := audit.OpenArchive(ctx, b, keys)
	if errors.Is(err, bundle.ErrNoLog) {
		err = fmt.Errorf("archive %s: there is no log in it: want the folder that has log/ in it, or nothing is archived yet", b)
	} else if err != nil {
		err = fmt.Errorf("archive %s: %w", b, err)
	} else if r.Payloads, err = a.decrypts(); err == nil {
		err = do(r)
	}
	return errors.Join(err, b.Close())
}

// narrowed is a filter as flags say it.
type narrowed struct {
	audit.Filter

	from, until string
}

func (f *narrowed) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.from, "from", "", "only what had not ended before this `DAY` (UTC) or instant")
	cmd.Flags().StringVar(&f.until, "until", "", "only what had begun before this `DAY` (UTC) or instant")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "only this `KIND` of workflow, such as incident, review, upgrade")
	cmd.Flags().StringVar(&f.Customer, "customer", "", "only what is about this `CUSTOMER`, by its id")
	cmd.Flags().StringVar(&f.Service, "service", "", "only what is about this `SERVICE`, by its id")
	cmd.Flags().StringVar(&f.Person, "person", "", "only that in which this `PERSON` took part, by their id")
	cmd.Flags().StringVar(&f.Outcome, "outcome", "", "only what has ended, or stands, so: `STATUS` such as closed, completed, rolled-back, running")
}

// parse reads the instants.
func (f *narrowed) parse() error {
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"from", f.from, &f.From}, {"until", f.until, &f.Until}} {
		var err error
		if *t.into, err = anInstant(t.text); err != nil {
			return misused("--%s %q: want a day such as 2026-11-26, or an instant such as 2026-11-26T09:00:00+09:00", t.name, t.text)
		}
	}
	if !f.From.IsZero() && !f.Until.IsZero() && !f.From.Before(f.Until) {
		return misused("--from %s, --until %s: want an end after the beginning", f.from, f.until)
	}
	known := audit.Kinds()
	if f.Kind != "" && !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, f.Kind) }) {
		return misused("--kind %q: want one of %s", f.Kind, strings.Join(known, ", "))
	}
	return nil
}

func (a *app) auditList() *cobra.Command {
	var (
		v vault
		f narrowed
	)
	cmd := &cobra.Command{
		Use: "list", Short: "List the bundles of an archive",
		Long: `List the bundles of an archive, the run that began first comes first: of each the newest one. All are proven by the log on the way:
what is not what it was fails the command, and the rest is listed. It needs no server.`,
		Example: "  muster audit list --customer garam --from 2026-10-01 --until 2027-01-01\n  muster audit list --kind incident --person park -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, _ []string) error {
			if err := f.parse(); err != nil {
				return err
			}
			return a.read(cmd.Context(), v, func(r *audit.Reader) error {
				all, faults := r.List(cmd.Context(), f.Filter)
				err := a.answer(append([]audit.Listed{}, all...), func(w io.Writer) {
					if len(all) == 0 {
						a.note("%s", archiveWordsIn(a.language()).none)
						return
					}
					a.page(w, "", "").bundles(all)
				})
				return errors.Join(err, faults)
			})
		}),
	}
	f.flags(cmd)
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

// anInstant reads a day in UTC, or an instant; nothing is zero.
func anInstant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, text)
}

// workflowKind names a type of workflow as other commands do.
func (p page) workflowKind(workflow string) string {
	return cmp.Or(archiveWordsIn(p.language).kinds[workflow], workflow)
}

// outcome names what has become of something as other commands do.
func (p page) outcome(workflow, outcome string) string {
	say := archiveWordsIn(p.language)
	if len(say.outcomes) == 0 {
		return outcome
	}
	if word := p.word(statusAxis(workflow), outcome); word != outcome {
		return word
	}
	return cmp.Or(say.outcomes[outcome], outcome)
}

// statusAxis is the axis of the words for the status of what a workflow is about.
func statusAxis(workflow string) string {
	switch workflow {
	case "Incident":
		return "status"
	case "Request":
		return "request-status"
	case "ActionItem":
		return "action-status"
	case "Problem":
		return "problem-status"
	case "Change":
		return "change-status"
	case "Escalation":
		return "risk-status"
	case "AlertSilence":
		return "silence-status"
	case "Routine":
		return "routine-status"
	case "Upgrade", "GoLive", "Readiness", "Maintenance":
		return "run"
	}
	return ""
}

// bundles shows one row for each.
func (p page) bundles(all []audit.Listed) {
	say := archiveWordsIn(p.language)
	rows := [][]string{p.head(say.closed, say.kind, say.id, say.priority, say.outcome, say.customers, say.services, say.file)}
	for _, b := range all {
		closed := say.running
		if !b.Closed.IsZero() {
			closed = p.view.texts.Moment(b.Closed, p.language, p.zone)
		}
		row := []string{closed, p.workflowKind(b.Kind), b.ID, b.Priority, p.outcome(b.Kind, b.Outcome), strings.Join(b.Customers, " "), strings.Join(b.Services, " "), b.File}
		for n := range row {
			row[n] = printable(row[n])
		}
		rows = append(rows, row)
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// A record is one bundle, from a file or an archive.
type record struct {
	File string `json:"file"`
	bundle.Facts
	Parts map[string]int `json:"parts"` // name → bytes

	inClear func() (*bundle.Bundle, error)
}

// recordsOf reads a file, or the bundles of an id from an archive.
func (a *app) recordsOf(ctx context.Context, v vault, what string) (all []record, err error) {
	keys, err := a.decrypts()
	if err != nil {
		return nil, err
	}
	add := func(file string, b *bundle.Bundle) {
		r := record{File: file, Facts: b.Facts, Parts: map[string]int{}, inClear: func() (*bundle.Bundle, error) { return b.Decrypted(file, keys) }}
		for name, part := range b.Parts {
			r.Parts[name] = len(part)
		}
		all = append(all, r)
	}
	if strings.HasSuffix(what, ".tar") {
		content, err := bundle.Load(what, bundle.MaxSize)
		if err != nil {
			return nil, fmt.Errorf("read bundle: %w", err)
		}
		b, err := bundle.Read(what, content)
		if err != nil {
			return nil, err
		}
		add(what, b)
		return all, nil
	}
	err = a.read(ctx, v, func(r *audit.Reader) error {
		found, faults := r.List(ctx, audit.Filter{ID: what})
		if len(found) == 0 {
			if why := r.WhyErased(ctx, what); why != nil {
				return errors.Join(faults, why)
			}
			return errors.Join(faults, fmt.Errorf("%s: in no bundle of the archive; muster audit list shows which there are", printable(what)))
		}
		for _, x := range found {
			b, err := r.Bundle(ctx, x.File)
			if err != nil {
				return err
			}
			add(x.File, b)
		}
		return nil
	})
	return all, err
}

const recordArgument = "FILE|ID"

func (a *app) auditShow() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use: "show " + recordArgument, Short: "Show what a bundle is of, and what is in it",
		Long: `Show what a bundle is of, and what is in it: of a file, or of everything in an archive that has an ID, such as an incident with its
review. A bundle is a tar file: tar shows its reports, definitions and histories.`,
		Example: "  muster audit show " + anID + "\n  muster audit show incident-" + anID + ".tar\n  tar xOf incident-" + anID + ".tar reports/incident-report.en.md",
		Args:    wants(recordArgument),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			all, err := a.recordsOf(cmd.Context(), v, args[0])
			if err != nil {
				return err
			}
			return a.answer(all, func(w io.Writer) {
				for n, r := range all {
					if n > 0 {
						fmt.Fprintln(w)
					}
					a.page(w, "", "").record(r)
				}
			})
		}),
	}
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

// record shows one bundle.
func (p page) record(r record) {
	say := archiveWordsIn(p.language)
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, printable(r.File)))
	period := p.instant(r.Started) + " – "
	if r.Closed.IsZero() {
		period += say.running
	} else {
		period += p.instant(r.Closed)
	}
	var rows [][]string
	for _, f := range [][2]string{
		{say.what, p.workflowKind(r.Kind) + " " + r.ID + " (" + p.outcome(r.Kind, r.Outcome) + ")"},
		{say.ran, period},
		{say.workflow, r.Workflow},
		{say.runs, strings.Join(r.Runs, " ")},
		{say.level, r.Priority},
		{say.of, strings.Join(r.Customers, " ")},
		{say.about, strings.Join(r.Services, " ")},
		{say.people, strings.Join(r.People, " ")},
		{say.code, strings.Join(r.Code, " ")},
		{say.changes, strings.Join(r.Changes, " ")},
		{say.encrypted, r.PayloadKey},
	} {
		if f[1] != "" {
			rows = append(rows, []string{p.paint(dim, f[0]), printable(f[1])})
		}
	}
	for n, name := range slices.Sorted(maps.Keys(r.Parts)) {
		head := ""
		if n == 0 {
			head = say.parts
		}
		rows = append(rows, []string{p.paint(dim, head), name + " " + strconv.Itoa(r.Parts[name])})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// A told is the timeline of one bundle.
type told struct {
	File    string           `json:"file"`
	Kind    string           `json:"kind"`
	ID      string           `json:"id"`
	Zone    string           `json:"zone"` // of the run
	Entries []timeline.Entry `json:"entries"`
}

func (a *app) auditTimeline() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use: "timeline " + recordArgument, Short: "Show what has happened, from a bundle",
		Long:    "Show what has happened, from a bundle: of a file, or of everything in an archive that has an ID. It needs no server.",
		Example: "  muster audit timeline " + anID + "\n  muster audit timeline incident-" + anID + ".tar --lang en",
		Args:    wants(recordArgument),
		RunE: a.shows(func(cmd *cobra.Command, args []string) error {
			records, err := a.recordsOf(cmd.Context(), v, args[0])
			if err != nil {
				return err
			}
			all := make([]told, len(records))
			for n, r := range records {
				if all[n], err = toldBy(r); err != nil {
					return err
				}
			}
			return a.answer(all, func(w io.Writer) {
				for _, t := range all {
					p := a.page(w, "", t.Zone)
					if len(all) > 1 {
						fmt.Fprintf(w, "%s\n", p.paint(bold, printable(p.workflowKind(t.Kind)+" "+t.ID)))
					}
					var entries []api.Entry
					for _, e := range t.Entries {
						entries = append(entries, api.NewEntry(a.view.texts, e, p.language, t.Zone))
					}
					p.timeline(entries)
				}
			})
		}),
	}
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

// toldBy reads a timeline.
func toldBy(r record) (told, error) {
	b, err := r.inClear()
	if err != nil {
		return told{}, err
	}
	entries, err := audit.Told(b)
	if err != nil {
		return told{}, fmt.Errorf("%s: %w", r.File, err)
	}
	return told{File: r.File, Kind: r.Kind, ID: r.ID, Zone: audit.Zone(b), Entries: entries}, nil
}

func (a *app) auditCompleteness() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use: "completeness", Short: "Say whether all that had ended is in an archive",
		Long: `Say whether all that had ended is in an archive. Each pass of the archive takes a census of the runs that had ended: the censuses must
meet, each of their runs must have its bundle, and each file must be in the log, and be what was archived, and the other way round.`,
		Example: "  muster audit completeness\n  muster audit completeness --archive s3://acme-audit?region=eu-north-1 --key archive.example.com.pub",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(cmd *cobra.Command, _ []string) error {
			return a.read(cmd.Context(), v, func(r *audit.Reader) error {
				c, err := r.Completeness(cmd.Context())
				if err != nil {
					return err
				}
				if err := a.answer(c, func(w io.Writer) { a.page(w, "", "").completeness(c) }); err != nil {
					return err
				}
				if !c.Whole() {
					return errors.New("audit completeness: the archive is not whole")
				}
				return nil
			})
		}),
	}
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	return cmd
}

func (p page) completeness(c audit.Completeness) {
	say := archiveWordsIn(p.language)
	lines(p.w, numbered(say.whole, p.instant(c.From), p.instant(c.Until), c.Censuses, c.Runs, c.Bundles))
	if c.Erased > 0 {
		lines(p.w, numbered(say.erased, c.Erased))
	}
	for _, g := range c.Gaps {
		if g.Run == nil {
			lines(p.w, fmt.Sprintf(say.gap, p.instant(g.From), p.instant(g.Until)))
			continue
		}
		lines(p.w, fmt.Sprintf(say.missing, p.workflowKind(g.Run.Kind), g.Run.Workflow, p.instant(g.Run.Closed), cmp.Or(g.Run.Detail, fmt.Sprintf(say.notWhole, g.Run.Bundle))))
	}
	for _, name := range c.Absent {
		lines(p.w, fmt.Sprintf(say.absent, name))
	}
	for _, name := range c.Unlogged {
		lines(p.w, fmt.Sprintf(say.unlogged, name))
	}
	for _, name := range c.Altered {
		lines(p.w, fmt.Sprintf(say.altered, name))
	}
	if len(c.Waiting) > 0 {
		lines(p.w, numbered(say.waiting, len(c.Waiting)))
	}
	const daily = 25 * time.Hour // a census is taken once a day although nothing has ended
	if age := p.env.Now().Sub(c.Until); age > daily {
		p.note(say.old, p.view.texts.Duration(age.Truncate(time.Hour), p.language))
	}
	for _, name := range c.Hasty {
		lines(p.w, fmt.Sprintf(say.hasty, name))
	}
	for _, name := range c.Leftover {
		lines(p.w, fmt.Sprintf(say.leftover, name))
	}
}

// states reads the states in an archive, the older ones first, each with its whole timeline.
func (a *app) states(ctx context.Context, v vault) (all []period.Record, err error) {
	err = a.read(ctx, v, func(r *audit.Reader) error {
		found, err := r.List(ctx, audit.Filter{})
		if err != nil {
			return err
		}
		erased, newest, err := r.Erased(ctx)
		if err != nil {
			return err
		}
		if erased > 0 {
			a.note("%s", numbered(reportLabelsIn(a.language()).erased, erased, newest.Format(time.DateOnly)))
		}
		for _, x := range found {
			b, err := r.InClear(ctx, x.File)
			if err != nil {
				return err
			}
			state, err := wholeState(b)
			if err != nil {
				return fmt.Errorf("%s: %w", x.File, err)
			}
			s, err := period.Decode(b.Kind, state)
			if err != nil {
				return fmt.Errorf("%s: %w", x.File, err)
			}
			all = append(all, period.Record{Bundle: period.Bundle{File: x.File, SHA256: x.SHA256}, Kind: b.Kind, State: s})
		}
		return nil
	})
	return all, err
}

// wholeState is the last state of a run, whose timeline may begin late, with all that has happened.
func wholeState(b *bundle.Bundle) ([]byte, error) {
	var state map[string]json.RawMessage
	if err := json.Unmarshal(b.Parts[bundle.StatePart], &state); err != nil {
		return nil, fmt.Errorf("%s: want the state that Muster writes", bundle.StatePart)
	}
	if state["timeline"] == nil {
		return b.Parts[bundle.StatePart], nil
	}
	told, err := json.Marshal(map[string]json.RawMessage{"entries": b.Parts[bundle.TimelinePart]})
	if err != nil {
		return nil, fmt.Errorf("%s: want the timeline that Muster writes", bundle.TimelinePart)
	}
	state["timeline"] = told
	return json.Marshal(state)
}
