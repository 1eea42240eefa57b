package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/report"
	"muster/starter/api"
)

const anID = "INC-7K3M9QX2PA" // in examples

func (a *app) incident() *cobra.Command {
	group := &cobra.Command{
		Use: "incident COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "List incidents, look at them, act in them",
		Long: `List incidents, look at them, act in them. Every command asks the server that muster dev or muster serve runs, in the name
of whoever the token speaks for.

` + finding,
		Example: "  muster incident list\n  muster incident show " + anID + "\n  muster incident ack " + anID,
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddGroup(&cobra.Group{ID: "look", Title: "Look:"}, &cobra.Group{ID: "act", Title: "Act:"})
	group.AddCommand(a.list(), a.show(), a.alerts(), a.timeline(), a.report(), a.updateDraft(), a.history())
	group.AddCommand(a.open(), a.form())
	group.AddCommand(a.acts()...)
	return group
}

func (a *app) list() *cobra.Command {
	var (
		f      api.Filter
		all    bool
		status string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, GroupID: "look",
		Short:   "List incidents, the newest first",
		Long:    "List incidents that are not closed, the newest first; with --all or --status the others too.",
		Example: "  muster incident list\n  muster incident list --all --limit 100\n  muster incident list --status resolved -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(incident.Statuses(), incident.Status(status)) {
				return misused("--status %q: want %s", status, joined(incident.Statuses()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Open = incident.Status(status), !all && status == ""
			page, err := c.List(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Incidents) == 0 {
					a.none("no incidents", "인시던트가 없습니다")
					return
				}
				a.page(w, page.Language, page.Zone).list(page.Incidents)
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "closed ones too")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(incident.Statuses()))
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(incident.Statuses()))
	return cmd
}

func (a *app) show() *cobra.Command {
	return &cobra.Command{
		Use: "show INCIDENT", GroupID: "look",
		Short: "Show an incident on one screen",
		Long: `Show where an incident stands: which alerts fire, who has taken it, what was promised and how much time is left, and what
happened last.

As JSON or YAML it is the whole state as the workflow keeps it: durations are whole nanoseconds, instants UTC. Its alerts
are short and perhaps not all there; muster incident alerts shows them in full, with plain names.`,
		Example: "  muster incident show " + anID + "\n  muster incident show " + anID + " --lang ko\n  muster incident show " + anID + " -o yaml",
		Args:    wants("INCIDENT"), ValidArgsFunction: a.completeIDs(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			i, err := c.Incident(ctx, id(args))
			if err != nil {
				return err
			}
			return a.answer(i, func(w io.Writer) {
				organisations := ""
				if l := i.Definition.Languages; len(l) > 0 {
					organisations = l[0]
				}
				a.page(w, organisations, i.Definition.Zone).show(i)
			})
		}),
	}
}

func (a *app) alerts() *cobra.Command {
	var f api.AlertFilter
	cmd := &cobra.Command{
		Use: "alerts INCIDENT", GroupID: "look",
		Short: "Show the alerts of an incident in full",
		Long: `Show every alert of an incident, in the order in which they first came, each with what its source has said of it last. The
table has the summary; as JSON or YAML there are the labels, the annotations and the link to the source as well.`,
		Example: "  muster incident alerts " + anID + "\n  muster incident alerts " + anID + " --firing --name HighErrorRate -o yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants("INCIDENT")(nil, args)
		},
		ValidArgsFunction: a.completeIDs(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			found, err := c.Alerts(ctx, id(args), f)
			if err != nil {
				return err
			}
			if found.Lost > 0 {
				a.note("the alerts of the oldest %d runs are past their retention", found.Lost)
			}
			return a.answer(found, func(w io.Writer) {
				if len(found.Alerts) == 0 {
					a.none("no alerts", "경보가 없습니다")
					return
				}
				a.page(w, found.Language, found.Zone).alerts(found.Alerts)
				a.more(found.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&f.Firing, "firing", false, "only those that fire")
	cmd.Flags().StringVar(&f.Name, "name", "", "only those of this `NAME`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	return cmd
}

// pageFlags say which part of a list is asked for.
func (a *app) pageFlags(cmd *cobra.Command, limit *int, after *string) {
	cmd.Flags().IntVar(limit, "limit", 50, "this `NUMBER` at most")
	cmd.Flags().StringVar(after, "after", "", "the `PAGE` after one, as that one says")
}

func wantLimit(limit int) error {
	if limit < 1 || limit > api.MaxRows {
		return misused("--limit %d: want 1 to %d", limit, api.MaxRows)
	}
	return nil
}

// more says how to ask for the next part of a list.
func (a *app) more(next string) {
	if next != "" {
		a.note("there are more: --after %s", next)
	}
}

func (a *app) updateDraft() *cobra.Command {
	audience := string(incident.ForCustomers)
	cmd := &cobra.Command{
		Use: "draft-update INCIDENT", GroupID: "look",
		Short: "Write a draft of the next update",
		Long: `Write what the next update may say, from what is known now: how far it is, the impact, when it is expected to be over, what
customers can do until then, and when they hear again. Nothing is sent; change it and send it with muster incident update.`,
		Example: "  muster incident draft-update " + anID + " >update.txt\n  muster incident draft-update " + anID + " --audience executives --lang ko",
		Args: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(incident.Audiences(), incident.Audience(audience)) {
				return misused("--audience %q: want %s", audience, joined(incident.Audiences()))
			}
			return wants("INCIDENT")(nil, args)
		},
		ValidArgsFunction: a.completeIDs(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			d, err := c.UpdateDraft(ctx, id(args), incident.Audience(audience), a.language())
			if err != nil {
				return err
			}
			return a.answer(d, func(w io.Writer) {
				for _, line := range strings.Split(strings.TrimSpace(d.Text), "\n") {
					fmt.Fprintln(w, printable(line))
				}
			})
		}),
	}
	cmd.Flags().StringVar(&audience, "audience", audience, "who reads it: `AUDIENCE`, "+joined(incident.Audiences()))
	_ = cmd.RegisterFlagCompletionFunc("audience", completions(incident.Audiences()))
	return cmd
}

func (a *app) timeline() *cobra.Command {
	var (
		follow bool
		every  time.Duration
	)
	cmd := &cobra.Command{
		Use: "timeline INCIDENT", GroupID: "look",
		Short: "Show everything that happened in an incident",
		Long: `Show everything that happened in an incident, the oldest first. With --follow what happens next is shown as it happens, until
the incident is closed; as JSON that is one entry in each line.`,
		Example: "  muster incident timeline " + anID + "\n  muster incident timeline " + anID + " --follow",
		Args: func(_ *cobra.Command, args []string) error {
			if every < 100*time.Millisecond {
				return misused("--every %s: want 100ms or more", every)
			}
			return wants("INCIDENT")(nil, args)
		},
		ValidArgsFunction: a.completeIDs(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			if follow {
				return a.follow(ctx, c, id(args), every)
			}
			t, err := c.Timeline(ctx, id(args), a.language(), 0)
			if err != nil {
				return err
			}
			if t.Dropped > 0 {
				a.note("%s", numbered("the oldest %d entr(y|ies) (is|are) past (its|their) retention", t.Dropped))
			}
			return a.answer(t, func(w io.Writer) { a.page(w, t.Language, t.Zone).timeline(t.Entries) })
		}),
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the incident is closed")
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "with --follow: look once in this `TIME`")
	return cmd
}

// follow shows entries as they come. A server that is away for a while is waited for.
func (a *app) follow(ctx context.Context, c *api.Client, id incident.ID, every time.Duration) error {
	for last, away := 0, false; ; {
		t, err := c.Timeline(ctx, id, a.language(), last)
		if err == nil {
			away = false
			err = a.entries(t)
			if n := len(t.Entries); n > 0 {
				last = t.Entries[n-1].Seq
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && (last == 0 || !passing(err)):
			return err
		case err != nil && !away:
			away = true
			a.note("muster: %v; waiting for it", err)
		case err == nil && t.Status == incident.Closed && len(t.Entries) == 0:
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// passing tells whether an error may be gone when the server is asked again.
func passing(err error) bool {
	var away *api.UnreachableError
	var p api.Refusal
	return errors.As(err, &away) || errors.As(err, &p) && p.Status >= 500
}

// entries shows a part of a timeline so that the next part can follow.
func (a *app) entries(t api.Timeline) error {
	if len(t.Entries) == 0 {
		return nil
	}
	if a.view.output != "json" {
		return a.answer(t.Entries, func(w io.Writer) { a.page(w, t.Language, t.Zone).timeline(t.Entries) })
	}
	var b bytes.Buffer
	for _, e := range t.Entries {
		if err := encode(&b, e, ""); err != nil {
			return err
		}
	}
	_, err := a.env.Stdout.Write(b.Bytes())
	return err
}

func (a *app) report() *cobra.Command {
	return a.writesReport(&cobra.Command{
		Use: "report INCIDENT", GroupID: "look",
		Short:             "Write the incident report as of now",
		Example:           "  muster incident report " + anID + "\n  muster incident report " + anID + " --format pdf --lang ko --file report.pdf",
		Args:              wants("INCIDENT"),
		ValidArgsFunction: a.completeIDs(),
	}, func(ctx context.Context, c *api.Client, args []string, f report.Format) ([]byte, error) {
		return c.Report(ctx, id(args), f, a.language())
	})
}

// writesReport makes a command write a report that it fetches: as text, or to a file.
func (a *app) writesReport(
	cmd *cobra.Command, fetch func(ctx context.Context, c *api.Client, args []string, f report.Format) ([]byte, error),
) *cobra.Command {
	var format, file string
	wanted := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(report.Formats(), report.Format(format)) {
			return misused("--format %q: want %s", format, joined(report.Formats()))
		}
		if format == string(report.PDF) && file == "" && a.onTerminal() {
			return misused("--format pdf: want --file, for a terminal shows no PDF")
		}
		return wanted(cmd, args)
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		text, err := fetch(ctx, c, args, report.Format(format))
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

func (a *app) history() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "history INCIDENT", GroupID: "look",
		Short: "Export the complete event history, for an auditor",
		Long: `Export the event histories of every run of an incident as JSON. The same history gives the same bytes; muster audit replay
runs it through the workflows of this program.`,
		Example: "  muster incident history " + anID + " --file " + anID + ".json\n  muster audit replay " + anID + ".json",
		Args:    wants("INCIDENT"), ValidArgsFunction: a.completeIDs(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			text, err := c.History(ctx, id(args))
			if err != nil {
				return err
			}
			return a.save(file, text)
		}),
	}
	a.fileFlag(cmd, &file)
	return cmd
}

func (a *app) fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "file", "", "write to `FILE` instead of to the standard output")
}

func (a *app) save(file string, text []byte) error {
	if file == "" {
		_, err := a.env.Stdout.Write(text)
		return err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	a.note("written to %s", file)
	return nil
}

// id is the incident that is meant.
func id(args []string) incident.ID { return incident.ID(strings.ToUpper(args[0])) }

func joined[S ~string](all []S) string {
	names := make([]string, len(all))
	for n, s := range all {
		names[n] = string(s)
	}
	return strings.Join(names, ", ")
}

func completions[S ~string](all []S) cobra.CompletionFunc {
	names := strings.Split(joined(all), ", ")
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

// completeIDs completes the identity of an open incident, and after it the names that may follow.
func (a *app) completeIDs(next ...string) cobra.CompletionFunc {
	return a.completeIncidents(api.Filter{Open: true, Limit: api.MaxRows}, next...)
}

func (a *app) completeIncidents(of api.Filter, next ...string) cobra.CompletionFunc {
	ids := a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.List(ctx, of)
		for _, s := range page.Incidents {
			about := fmt.Sprintf("%s %s %s: %s", s.Priority, s.Status, s.Service, s.Title)
			found = append(found, described(string(s.ID), about))
		}
		return found, err
	})
	return func(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return next, cobra.ShellCompDirectiveNoFileComp
		}
		return ids(cmd, args, start)
	}
}

// described is a completion with what a shell shows beside it.
func described(name, about string) cobra.Completion {
	const most = 72 // columns
	return cobra.CompletionWithDesc(printable(name), cut(printable(about), most))
}

// completes completes the first argument with what the server lists. Without a server there is nothing to complete.
func (a *app) completes(list func(ctx context.Context, c *api.Client) ([]cobra.Completion, error)) cobra.CompletionFunc {
	return first(func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		c, err := a.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		const patience = 2 * time.Second
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		found, err := list(ctx, c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	})
}

// first completes the first argument, and none that follows.
func first(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, start)
	}
}
