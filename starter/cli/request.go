package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/starter/api"
)

const aRequest = "REQ-7K3M9QX2PA" // in examples

func (a *app) request() *cobra.Command {
	group := &cobra.Command{
		Use: "request COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Record customers' requests, decide on them, answer them",
		Long: `Record what a customer asks for, decide on what its support plan does not cover, answer it. What is covered is accepted at
once; on anything else a person decides who has not recorded it. The customer is told on receipt, of the decision and the answer.

` + finding,
		Example: "  muster request open garam enquiries \"How do we renew the certificate?\" --channel phone\n  muster request list\n" +
			"  muster request answer " + aRequest + " \"The certificate is renewed\"",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.openRequest(), a.listRequests(), a.showRequest(), a.declineRequest(), a.requestCase(), a.completeRequest(), a.requestIncident(), a.requestReport(), a.requestMeeting(), a.minutes(),
		a.asksRequest(&cobra.Command{
			Use: "take REQUEST [NOTE...]", Short: "Work on it",
			Long:    "Say that you work on it: you are told when the customer objects, or when a vendor is to be asked again.",
			Example: "  muster request take " + aRequest,
		}, func(text string) request.Command { return request.Take{Note: text} }),
		a.asksRequestOf(&cobra.Command{
			Use: "hand-over REQUEST PERSON NOTE...", Short: "Give it to another person",
			Long: "Give it to another person, who is told. An engineer of the customer takes it only when all that engineering needs of such\n" +
				"requests is collected. \"-\" reads the note from the standard input.",
			Example: "  muster request hand-over " + aRequest + " park \"the log is attached to the ticket\"",
		}, 1, func(args []string, text string) (request.Command, error) {
			return request.HandOver{Person: args[0], Note: text}, nil
		}),
		a.asksRequestOf(&cobra.Command{
			Use: "collect REQUEST NEED TEXT...", Short: "Say something that engineering needs",
			Long: "Say something that engineering needs: NEED is one of those that muster request show lists as missing. \"-\" reads the text from\n" +
				"the standard input.",
			Example: "  muster request collect " + aRequest + " version \"4.2.1\"",
		}, 1, func(args []string, text string) (request.Command, error) {
			return request.Collect{Need: args[0], Text: text}, nil
		}),
		a.asksRequest(&cobra.Command{
			Use: "incomplete REQUEST REASON...", Short: "Say that the answer is not enough",
			Long:    "Say that the answer is not enough, so that the request goes on; \"-\" reads the reason from the standard input.",
			Example: "  muster request incomplete " + aRequest + " \"it still fails at night\"",
		}, func(text string) request.Command { return request.Judge{Result: request.Incomplete, Note: text} }),
		a.asksRequest(&cobra.Command{
			Use: "approve REQUEST REASON...", Short: "Do what the support plan does not cover",
			Long:    "Say that it is done although the support plan does not cover it. Whoever has recorded it may not; \"-\" reads the reason\nfrom the standard input.",
			Example: "  muster request approve " + aRequest + " \"as a favour, once\"",
		}, func(text string) request.Command { return request.Approve{Reason: text} }),
		a.asksRequest(&cobra.Command{
			Use: "answer REQUEST TEXT...", Short: "Answer the customer",
			Long:    "Answer the customer: the text goes to its contacts at once, and keeps what was promised. Whoever works on it answers; others take it\nfirst. \"-\" reads the text from the standard input.",
			Example: "  muster request answer " + aRequest + " \"The certificate is renewed\"\n  muster request answer " + aRequest + " - <answer.txt",
		}, func(text string) request.Command { return request.Answer{Text: text} }),
		a.asksRequest(&cobra.Command{
			Use: "withdraw REQUEST REASON...", Short: "Say that the customer wants it no more",
			Long:    "Say that the customer wants it no more. What it has used of a quota is given back; \"-\" reads the reason from the standard\ninput.",
			Example: "  muster request withdraw " + aRequest + " \"it works again\"",
		}, func(text string) request.Command { return request.Withdraw{Reason: text} }),
		a.asksRequest(&cobra.Command{
			Use: "note REQUEST TEXT...", Short: "Write into the timeline of a request",
			Long:    "Write into the timeline of a request, which the customer does not see; \"-\" reads the text from the standard input.",
			Example: "  muster request note " + aRequest + " \"asked the vendor\"",
		}, func(text string) request.Command { return request.Note{Text: text} }),
	)
	return group
}

// requestLabels are the words of one language that stand beside a request.
type requestLabels struct {
	id, recorded, channel, number, text, decided, reason, offered, answer, answered, closes, ended, noted string
	begun, owner, missing, vendor, chase, incident, rating, judged, sent, already                         string
}

func requestLabelsIn(language string) requestLabels {
	if language == "ko" {
		return requestLabels{
			id: "요청 번호", recorded: "접수자", channel: "접수 경로", number: "접수 번호", text: "요청 내용", decided: "결정한 사람", reason: "결정 사유", offered: "대안", answer: "답변",
			answered: "답변한 사람", closes: "이의 제기 기한", ended: "끝난 시각", noted: "%s: 요청에 기록",
			begun: "이슈 발생", owner: "처리자", missing: "부족한 정보", vendor: "벤더 케이스", chase: "재확인 예정", incident: "인시던트", rating: "만족도",
			judged: "판단한 사람", sent: "고객사에 발송", already: "%s: 이미 인시던트 %s(으)로 등록되어 있어 새로 열지 않음",
		}
	}
	return requestLabels{
		id: "Request", recorded: "Recorded by", channel: "Channel", number: "Receipt number", text: "Asked", decided: "Decided by", reason: "Reason", offered: "Offered",
		answer: "Answer", answered: "Answered by", closes: "Objections until", ended: "Ended", noted: "%s: recorded in its timeline",
		begun: "Began", owner: "Works on it", missing: "Missing", vendor: "Vendor's case", chase: "Ask again", incident: "Incident", rating: "Content",
		judged: "Judged by", sent: "the customer is told", already: "%s was incident %s before: nothing is opened",
	}
}

func (a *app) openRequest() *cobra.Command {
	var (
		asked         api.NewRequest
		key, received string
	)
	cmd := &cobra.Command{
		Use:   "open CUSTOMER KIND TEXT...",
		Short: "Record what a customer asks for",
		Long: `Record what a customer asks for. KIND is a kind of request that its support plan names, or the ID of a feature
of its entitlement table; muster explain plan shows both. "-" reads the text from the standard input. ` + times + `

Channels: ` + joined(supportplan.Channels()) + `.`,
		Example: "  muster request open garam enquiries \"How do we renew the certificate?\" --channel phone --number C-204\n" +
			"  muster request open garam enquiries - --received 2026-11-30T09:00:00+09:00 <mail.txt",
		Args: func(_ *cobra.Command, args []string) error {
			if asked.Channel != "" && !slices.Contains(supportplan.Channels(), asked.Channel) {
				return misused("--channel %q: want one of %s", asked.Channel, joined(supportplan.Channels()))
			}
			if asked.Begun != "" && !slices.Contains(request.Begins(), asked.Begun) {
				return misused("--begun %q: want one of %s", asked.Begun, joined(request.Begins()))
			}
			return wants("CUSTOMER", "KIND", "TEXT...")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			asked.Customer, asked.Kind = args[0], args[1]
			if received != "" {
				at, err := a.clockTime("--received", received)
				if err != nil {
					return err
				}
				asked.Received = at.Format(time.RFC3339)
			}
			if asked.Text, err = a.text(args[2:]); err != nil {
				return err
			}
			if received != "" {
				at, err := a.clockTime("--received", received)
				if err != nil {
					return err
				}
				a.countsFrom(at)
				asked.Received = at.Format(time.RFC3339)
			}
			var r request.Request
			err = a.once(key, func(key string) (err error) {
				r, err = c.OpenRequest(ctx, asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) { a.sheetIn(w, r.Zone).asking(&r) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&asked.Feature, "feature", "", "`ID` of a feature, where the kind is none")
	f.StringVar((*string)(&asked.Channel), "channel", "", "`CHANNEL` by which it came; default: the support hours of the plan count")
	f.StringVar(&received, "received", "", "`TIME` at which it came; default: now")
	f.StringVar((*string)(&asked.Begun), "begun", "", "`WHERE` an issue began of which the customer is told: "+joined(request.Begins())+"; default: the customer asks")
	f.StringVar(&asked.Number, "number", "", "`NUMBER` by which whoever took it knows it")
	_ = cmd.RegisterFlagCompletionFunc("channel", completions(supportplan.Channels()))
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) listRequests() *cobra.Command {
	var (
		f      api.RequestFilter
		all    bool
		status string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List requests, the newest first",
		Long:    "List requests that are not over, the newest first; with --all or --status the others too.",
		Example: "  muster request list\n  muster request list --status waiting-for-approval\n  muster request list --all --customer garam -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(request.Statuses(), request.Status(status)) {
				return misused("--status %q: want %s", status, joined(request.Statuses()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Open = request.Status(status), !all && status == ""
			page, err := c.Requests(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Requests) == 0 {
					a.none("no requests", "요청이 없습니다")
					return
				}
				a.page(w, page.Language, page.Zone).requestRows(page.Requests)
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over too")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(request.Statuses()))
	cmd.Flags().StringVar(&f.Customer, "customer", "", "only those of this customer, by `ID`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(request.Statuses()))
	return cmd
}

// requestRows shows one row for each request.
func (p page) requestRows(all []api.RequestSummary) {
	rows := [][]string{p.head(requestLabelsIn(p.language).id, p.say.status, p.say.customer, p.say.kind, p.say.opened, p.say.next)}
	for _, r := range all {
		next := ""
		if !r.NextDue.IsZero() && r.ClosedAt.IsZero() {
			next = p.away(r.NextDue, p.say.in, p.say.over)
		}
		rows = append(rows, []string{
			printable(string(r.ID)), p.requestStatus(r.Status), printable(r.Customer), printable(p.view.texts.RequestKind(r.Subject, p.language)),
			p.instant(r.OpenedAt), next,
		})
	}
	p.rows(p.w, rows, cut)
}

func (p page) requestStatus(s request.Status) string {
	shade := map[request.Status]colour{
		request.Waiting: yellow, request.Accepted: green, request.Answered: green, request.Declined: red, request.Withdrawn: dim, request.Closed: dim,
	}
	return p.paint(shade[s], printable(p.view.texts.RequestStatus(s, p.language)))
}

func (a *app) showRequest() *cobra.Command {
	return &cobra.Command{
		Use:   "show REQUEST",
		Short: "Show a request on one screen",
		Long: `Show where a request stands: what the customer asks for, what its support plan says of it, what was promised, and what has
happened. As JSON or YAML, durations are whole nanoseconds.`,
		Example: "  muster request show " + aRequest + "\n  muster request show " + aRequest + " --lang ko",
		Args:    wants("REQUEST"), ValidArgsFunction: a.completeRequests(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.Request(ctx, requestID(args))
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) { a.sheetIn(w, r.Zone).asking(&r) })
		}),
	}
}

// asking shows one request on one screen.
func (s sheet) asking(r *request.Request) {
	say := requestLabelsIn(s.language)
	fmt.Fprintln(s.w, s.paint(bold, printable(fmt.Sprintf("%s  %s: %s", r.ID, r.CustomerName, s.view.texts.RequestSubject(&r.Terms, s.language)))))
	stands := s.requestStatus(r.Status)
	if r.Status == request.Waiting {
		stands += ", " + s.outcome(r.Verdict.Outcome)
	}
	fmt.Fprintf(s.w, "%s: %s\n\n", s.say.status, stands)
	f := facts{page: s.page}
	f.add(s.say.customer, printable(r.CustomerName))
	f.add(s.plan, printable(r.Plan))
	f.add(s.received, s.at(r.Received))
	f.add(say.recorded, printable(r.Recorder.Shown()))
	if r.Channel != "" {
		f.add(say.channel, printable(s.view.texts.Channel(r.Channel, s.language)))
	}
	f.add(say.number, printable(r.Number))
	f.add(say.text, paragraphs(r.Text)...)
	if r.Begun != "" {
		f.add(say.begun, printable(s.view.texts.RequestBegun(r.Begun, s.language)))
	} else {
		s.found(&f, r.Verdict, r.Entitlement.Table)
	}
	f.add(say.owner, printable(r.Owner.Shown()))
	s.collected(&f, r, say)
	f.add(say.decided, printable(r.Decided().Shown()))
	f.add(say.judged, printable(r.Judged().Shown()))
	f.add(say.reason, printable(r.Reason))
	f.add(say.offered, printable(r.Offer))
	f.add(say.answer, paragraphs(r.Answer)...)
	f.add(say.answered, printable(r.AnsweredBy.Shown()))
	if r.Ended.IsZero() {
		f.add(say.closes, s.at(r.Closes))
	}
	f.add(say.ended, s.at(r.Ended))
	s.rows(s.w, f.rows, text.WrapSoft)
	s.requestClocks(r.Clocks)
	s.history(r.Timeline)
}

// collected shows what engineering needs, what was collected of it, and what has come of the request elsewhere.
func (s sheet) collected(f *facts, r *request.Request, say requestLabels) {
	for _, c := range r.Collected {
		name := c.Need
		if n := slices.IndexFunc(r.Needs, func(n request.Need) bool { return n.ID == c.Need }); n >= 0 {
			name = r.Needs[n].Name.In(s.language)
		}
		f.add(printable(name), paragraphs(c.Text)...)
	}
	if !r.Over() && r.Status != request.Answered {
		var missing []string
		for _, n := range r.Missing() {
			missing = append(missing, printable(fmt.Sprintf("%s (%s)", n.Name.In(s.language), n.ID)))
		}
		f.add(say.missing, missing...)
	}
	if c := r.Case; c != nil {
		f.add(say.vendor, printable(c.Shown()+" "+c.Ref))
		f.add(say.chase, s.at(c.Chase))
	}
	f.add(say.incident, printable(r.Incident))
	if r.Rating != nil {
		f.add(say.rating, fmt.Sprintf("%d/%d", r.Rating.Score, request.MaxScore))
	}
}

// paragraphs are the lines of what somebody has written.
func paragraphs(text string) []string { return each(strings.Split(text, "\n")) }

// requestClocks shows the promises of a request.
func (p page) requestClocks(all []supportplan.Clock) {
	if len(all) == 0 {
		return
	}
	rows := [][]string{p.head(p.say.promise, p.say.status, p.say.due)}
	for n := range all {
		state, shade := p.clock(&all[n])
		rows = append(rows, []string{p.view.texts.Target(all[n].Target, p.language), p.paint(shade, state), p.at(all[n].Due)})
	}
	fmt.Fprintln(p.w)
	p.rows(p.w, rows, text.WrapSoft)
}

func (a *app) declineRequest() *cobra.Command {
	var offer string
	cmd := a.asksRequest(&cobra.Command{
		Use: "decline REQUEST REASON...", Short: "Do not do it, and say what the customer could have",
		Long:    "Say that it is not done, and what the customer could have instead. Whoever has recorded it may not; \"-\" reads the reason\nfrom the standard input.",
		Example: "  muster request decline " + aRequest + " \"the plan does not include it\" --offer \"it is included in Premium\"",
	}, func(text string) request.Command { return request.Decline{Reason: text, Offer: offer} })
	cmd.Flags().StringVar(&offer, "offer", "", "`TEXT` that says what the customer could have instead")
	_ = cmd.RegisterFlagCompletionFunc("offer", cobra.NoFileCompletions)
	return cmd
}

// asksRequest makes a command that asks something of a request in words.
func (a *app) asksRequest(cmd *cobra.Command, command func(text string) request.Command) *cobra.Command {
	return a.asksRequestOf(cmd, 0, func(_ []string, text string) (request.Command, error) { return command(text), nil })
}

// requestCase says what a vendor was asked.
func (a *app) requestCase() *cobra.Command {
	var chase string
	cmd := a.asksRequestOf(&cobra.Command{
		Use: "case REQUEST VENDOR REF", Short: "Say what a vendor was asked, and when to ask again",
		Long:    "Say by which reference a vendor knows what it was asked, and when to ask again: whoever works on it is told then. VENDOR is\nthe ID of one that the organisation folder knows, and --chase is required. " + times,
		Example: "  muster request case " + aRequest + " skyhost SR-1182 --chase 2026-12-01T09:00:00+09:00",
	}, 1, func(args []string, text string) (request.Command, error) {
		at, err := a.clockTime("--chase", chase)
		return request.RecordCase{Vendor: args[0], Ref: text, Chase: at}, err
	})
	cmd.Flags().StringVar(&chase, "chase", "", "`TIME` at which to ask again, such as 2026-12-01T09:00:00+09:00; required")
	_ = cmd.MarkFlagRequired("chase")
	return cmd
}

// completeRequest says that the answer is enough, and how content the customer is.
func (a *app) completeRequest() *cobra.Command {
	var score int
	cmd := a.asksRequest(&cobra.Command{
		Use: "complete REQUEST [NOTE...]", Short: "Say that the answer is enough, which closes it",
		Long: "Say that the answer is enough, which closes the request. The customer does, or somebody else than who has answered; the\n" +
			"customer alone says how content it is. Of the provider it wants a NOTE: who of the customer says so.",
		Example: "  muster request complete " + aRequest + " --score 5 \"that was fast\"",
	}, func(text string) request.Command {
		return request.Judge{Result: request.Complete, Note: text, Score: score}
	})
	cmd.Flags().IntVar(&score, "score", 0, "`NUMBER` from 1 to 5, which is best: how content the customer is")
	return cmd
}

// requestMeeting records a meeting on a request.
func (a *app) requestMeeting() *cobra.Command {
	var (
		met request.Meet
		at  string
	)
	cmd := a.asksRequestOf(&cobra.Command{
		Use: "meeting REQUEST TEXT...", Short: "Record a meeting on it, with its minutes",
		Long: "Record a meeting on it: what it was for, who was there, what was said and decided, and what comes next. The customer may read the\n" +
			"minutes, and nobody can change them. \"-\" reads what was said from the standard input. " + times,
		Example: "  muster request meeting " + aRequest + " --purpose \"More storage\" --who Seo --who Park --decision \"100 GB more\" --next \"Park, until Friday: a quote\" " +
			"\"the disk fills up\"",
	}, 0, func(_ []string, text string) (request.Command, error) {
		met.Text = text
		if at != "" {
			var err error
			if met.At, err = a.clockTime("--at", at); err != nil {
				return nil, err
			}
		}
		return met, nil
	})
	f := cmd.Flags()
	f.StringVar(&met.Purpose, "purpose", "", "`TEXT` that says what it was for")
	f.StringArrayVar(&met.Who, "who", nil, "`NAME` of somebody who was there; for several, several times")
	f.StringArrayVar(&met.Decisions, "decision", nil, "`TEXT` of something that was decided; for several, several times")
	f.StringArrayVar(&met.Next, "next", nil, "`TEXT` of a next step; for several, several times")
	f.StringVar(&at, "at", "", "`TIME` at which it was held, such as \"2026-11-30 10:00\"; default: now")
	for _, name := range []string{"purpose", "who", "decision", "next", "at"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	_ = cmd.MarkFlagRequired("purpose")
	_ = cmd.MarkFlagRequired("who")
	return cmd
}

// minutes writes those of a meeting on a request.
func (a *app) minutes() *cobra.Command {
	return a.writesOf(&cobra.Command{
		Use: "minutes REQUEST [NUMBER]", Short: "Write the minutes of a meeting on it",
		Long:    "Write the minutes of a meeting on it, of the newest one where no NUMBER says which.",
		Example: "  muster request minutes " + aRequest + "\n  muster request minutes " + aRequest + " 1 --format pdf --file minutes.pdf",
	}, func(ctx context.Context, c *api.Client, args []string, f report.Format) ([]byte, error) {
		number := 0
		if len(args) == 2 {
			var err error
			if number, err = strconv.Atoi(args[1]); err != nil || number < 1 {
				return nil, misused("NUMBER %q: want that of a meeting, from 1", args[1])
			}
		}
		return c.Minutes(ctx, requestID(args), number, f, a.language())
	})
}

// requestReport writes the report on a request.
func (a *app) requestReport() *cobra.Command {
	return a.writesOf(&cobra.Command{
		Use: "report REQUEST", Short: "Write the report on a request as of now",
		Long:    "Write the report on a request as of now.",
		Example: "  muster request report " + aRequest + "\n  muster request report " + aRequest + " --format html --lang ko --file request.html",
	}, func(ctx context.Context, c *api.Client, args []string, f report.Format) ([]byte, error) {
		return c.RequestReport(ctx, requestID(args), f, a.language())
	})
}

// writesOf makes a command that writes a document on a request.
func (a *app) writesOf(cmd *cobra.Command, write func(context.Context, *api.Client, []string, report.Format) ([]byte, error)) *cobra.Command {
	var format, file string
	words := strings.Fields(cmd.Use)[1:]
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if !slices.Contains(report.Formats(), report.Format(format)) {
			return misused("--format %q: want %s", format, joined(report.Formats()))
		}
		if format == string(report.PDF) && file == "" && a.onTerminal() {
			return misused("--format pdf: want --file, for a terminal shows no PDF")
		}
		return wants(words...)(nil, args)
	}
	cmd.ValidArgsFunction = a.completeRequests()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		text, err := write(ctx, c, args, report.Format(format))
		if err != nil {
			return err
		}
		return a.save(file, text)
	})
	cmd.Flags().StringVar(&format, "format", string(report.Markdown), "`FORMAT`: "+joined(report.Formats()))
	a.fileFlag(cmd, &file)
	_ = cmd.RegisterFlagCompletionFunc("format", completions(report.Formats()))
	return cmd
}

// requestIncident opens the incident that a request has become.
func (a *app) requestIncident() *cobra.Command {
	var (
		asked           api.RequestIncident
		impact, urgency string
		key             string
	)
	cmd := &cobra.Command{
		Use: "incident REQUEST SERVICE TITLE...", Short: "Open the incident that it has become",
		Long: "Open the incident that a request has become. What was promised for the incident runs from the receipt of the request, which\n" +
			"is answered all the same.",
		Example: "  muster request incident " + aRequest + " checkout \"Payments are refused\" --impact high",
		Args:    wants("REQUEST", "SERVICE", "TITLE..."), ValidArgsFunction: a.completeRequests(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			asked.Service, asked.Title = args[1], strings.Join(args[2:], " ")
			asked.Impact, asked.Urgency = priority.Level(impact), priority.Level(urgency)
			var r api.RequestReceipt
			err := a.once(key, func(key string) (err error) {
				r, err = c.PromoteRequest(ctx, requestID(args), asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), printable(r.Incident))
				if r.Already {
					a.note(requestLabelsIn(a.page(w, "", "").language).already, r.ID, r.Incident)
				}
			})
		}),
	}
	cmd.Flags().StringVar(&impact, "impact", "", "`LEVEL` of the impact; default: that of the service")
	cmd.Flags().StringVar(&urgency, "urgency", "", "`LEVEL` of the urgency; default: that of the service")
	keyFlag(cmd, &key)
	return cmd
}

// asksRequestOf makes a command that asks something of a request: after so many arguments, the others are a text.
func (a *app) asksRequestOf(cmd *cobra.Command, before int, command func(args []string, text string) (request.Command, error)) *cobra.Command {
	var key string
	cmd.Args, cmd.ValidArgsFunction = wants(strings.Fields(cmd.Use)[1:]...), a.completeRequests()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		words := ""
		if len(args) > 1+before {
			var err error
			if words, err = a.text(args[1+before:]); err != nil {
				return err
			}
		}
		asked, err := command(args[1:], words)
		if err != nil {
			return err
		}
		var r api.RequestReceipt
		err = a.once(key, func(key string) (err error) {
			r, err = c.AskRequest(ctx, requestID(args), asked, key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			p := a.page(w, "", r.Zone)
			if _, noted := asked.(request.Note); noted {
				fmt.Fprintln(w, printable(fmt.Sprintf(requestLabelsIn(p.language).noted, r.ID)))
				return
			}
			fmt.Fprintln(w, p.requestReceipt(r, asked))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

// requestReceipt says where a request stands, and what has come of what was asked.
func (p page) requestReceipt(r api.RequestReceipt, asked request.Command) string {
	say := requestLabelsIn(p.language)
	said := fmt.Sprintf("%s: %s", printable(string(r.ID)), p.requestStatus(r.Status))
	switch asked.(type) {
	case request.Take, request.HandOver:
		said += fmt.Sprintf("; %s: %s", strings.ToLower(say.owner), printable(r.Owner))
	case request.RecordCase:
		said += fmt.Sprintf("; %s: %s", strings.ToLower(say.chase), p.at(r.Chase))
	case request.Answer:
		said += "; " + say.sent
	}
	return said
}

// requestID is the request that is meant.
func requestID(args []string) request.ID { return request.ID(strings.ToUpper(args[0])) }

// completeRequests completes the identity of a request that is not over.
func (a *app) completeRequests() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.Requests(ctx, api.RequestFilter{Open: true, Limit: api.MaxRows})
		for _, r := range page.Requests {
			found = append(found, described(string(r.ID), fmt.Sprintf("%s %s: %s", r.Status, r.Customer, r.Subject)))
		}
		return found, err
	})
}
