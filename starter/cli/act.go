package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/starter/api"
)

// A deed is a command that changes an incident.
type deed struct {
	use                  string // its name and its arguments, the first of which is the incident
	alias                string
	short, long, example string
	next                 []string // what may follow the incident
	flags                func(cmd *cobra.Command)
	command              func(args []string) (incident.Command, error) // args without the incident
}

// acts are the commands that change an incident.
func (a *app) acts() []*cobra.Command {
	deeds := []deed{
		a.assign(), a.priority(), a.closing(), a.update(), a.approveUpdate(), a.rejectUpdate(), a.approveResponse(), a.stopResponse(),
		{
			use: "ack INCIDENT", alias: "acknowledge", short: "Acknowledge: I have taken it, stop paging",
			long:    "Say that you have taken the incident. Paging stops; without a sign of life it starts again after a time.",
			example: "ack " + anID,
			command: func([]string) (incident.Command, error) { return incident.Acknowledge{}, nil },
		},
		{
			use: "note INCIDENT TEXT...", short: "Write into the timeline",
			long:    "Write into the timeline. A note that begins with \"cause:\" or \"원인:\" states the cause in the report.",
			example: "note " + anID + ` "cause: the last deployment"`,
			command: a.saying(func(s string) incident.Command { return incident.Note{Text: s} }),
		},
		{
			use: "escalate INCIDENT REASON...", short: "Page the next step of the escalation at once",
			example: "escalate " + anID + ` "we need the database team"`,
			command: a.saying(func(s string) incident.Command { return incident.Escalate{Reason: s} }),
		},
		{
			use: "mitigate INCIDENT NOTE...", short: "Say that the mitigation has begun",
			example: "mitigate " + anID + ` "rolled back to 4.2"`,
			command: a.saying(func(s string) incident.Command { return incident.Mitigate{Note: s} }),
		},
		{
			use: "resolve INCIDENT NOTE...", short: "Say that normal operation is back",
			long:    "Say that normal operation is back. Customers get the all-clear, or a person is asked to write it; the report is written.",
			example: "resolve " + anID + ` "error rate is normal since 14:20"`,
			command: a.saying(func(s string) incident.Command { return incident.Resolve{Note: s} }),
		},
		{
			use: "reopen INCIDENT REASON...", short: "Say that it was not over; paging starts again",
			example: "reopen " + anID + ` "errors are back"`,
			command: a.saying(func(s string) incident.Command { return incident.Reopen{Reason: s} }),
		},
		{
			use: "repin INCIDENT REASON...", short: "Take over what the organisation folder promises now",
			long: "Take over the promises and procedures that the organisation folder has now: support plans, calendars, escalation policy,\n" +
				"links. Until somebody asks for that, those of the moment in which the incident opened hold. Every difference is recorded.",
			example: "repin " + anID + ` "the customer has bought premium support"`,
			command: a.saying(func(s string) incident.Command { return incident.Repin{Reason: s} }),
		},
		a.pause(), a.resume(),
	}
	deeds = append(deeds, a.wholeDeeds()...)
	var all []*cobra.Command
	for _, d := range deeds {
		all = append(all, a.act(d))
	}
	return all
}

// act makes the command of a deed.
func (a *app) act(d deed) *cobra.Command {
	var key string
	names := strings.Fields(d.use)[1:]
	cmd := &cobra.Command{
		Use: d.use, GroupID: "act", Short: d.short, Long: cmp.Or(d.long, d.short+"."), Example: "  muster incident " + strings.ReplaceAll(d.example, "\n", "\n  muster incident "),
		Args: wants(names...), ValidArgsFunction: a.completeIDs(d.next...),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			command, err := d.command(args[1:])
			if err != nil {
				return err
			}
			var r api.Receipt
			err = a.once(key, func(key string) (err error) {
				r, err = c.Do(ctx, id(args), command, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) {
				p := a.page(w, "", "")
				stands := []string{p.status(r.Status), p.pressing(r.Priority)}
				if done := p.done(command, r); done != "" {
					stands = append(stands, printable(done))
				}
				fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), strings.Join(stands, ", "))
			})
		}),
	}
	keyFlag(cmd, &key)
	if d.alias != "" {
		cmd.Aliases = []string{d.alias}
	}
	if d.flags != nil {
		d.flags(cmd)
	}
	return cmd
}

func keyFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "key", "", "`KEY` that names this request: repeated under the same key it is done once")
}

// once asks under a key, a new one if none is given. Where it may have been done, the user is told the key.
func (a *app) once(key string, ask func(key string) error) error {
	key = cmp.Or(key, api.NewKey())
	err := ask(key)
	if err != nil && passing(err) {
		a.note("muster: it may have been done; the same with --key %s does no harm", key)
	}
	return err
}

// saying makes a command of the words that follow the incident.
func (a *app) saying(command func(text string) incident.Command) func([]string) (incident.Command, error) {
	return func(args []string) (incident.Command, error) {
		text, err := a.text(args)
		return command(text), err
	}
}

// text joins words; "-" reads them from the standard input.
func (a *app) text(words []string) (string, error) {
	text := strings.Join(words, " ")
	if text == "-" {
		b, err := io.ReadAll(io.LimitReader(a.env.Stdin, incident.MaxText+1))
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		text = strings.TrimSpace(string(b))
	}
	if strings.TrimSpace(text) == "" {
		return "", misused("the text is empty")
	}
	if len(text) > incident.MaxText {
		return "", misused("the text is too long: want %d bytes at most", incident.MaxText)
	}
	return text, nil
}

func (a *app) assign() deed {
	var note string
	return deed{
		use: "assign INCIDENT ROLE PERSON", short: "Give a role to a person, or hand it over",
		long:    "Give a role to a person of the organisation, who is told. Whoever had it before is told too.\nRoles: " + joined(incident.Roles()) + ".",
		example: "assign " + anID + " communications-manager kim --note \"the customer calls at four\"",
		next:    strings.Split(joined(incident.Roles()), ", "),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&note, "note", "", "`TEXT`: what the new holder should know")
		},
		command: func(args []string) (incident.Command, error) {
			role := incident.Role(args[0])
			if !role.Valid() {
				return nil, misused("ROLE %q: want %s", args[0], joined(incident.Roles()))
			}
			return incident.Assign{Role: role, Person: args[1], Note: note}, nil
		},
	}
}

func (a *app) priority() deed {
	var impact, urgency string
	levels := []priority.Level{priority.High, priority.Medium, priority.Low}
	return deed{
		use: "priority INCIDENT REASON...", short: "Judge impact and urgency anew; the priority follows",
		long:    "Judge impact and urgency anew. The priority follows from both, and every promised time with it. What is not given stays.",
		example: "priority " + anID + " --impact low \"one customer only\"\npriority " + anID + " --impact high --urgency high \"checkout is down\"",
		flags: func(cmd *cobra.Command) {
			for name, into := range map[string]*string{"impact": &impact, "urgency": &urgency} {
				cmd.Flags().StringVar(into, name, "", "`LEVEL`: "+joined(levels))
				_ = cmd.RegisterFlagCompletionFunc(name, completions(levels))
			}
		},
		command: func(args []string) (incident.Command, error) {
			if impact == "" && urgency == "" {
				return nil, misused("--impact, --urgency: want one of them at least")
			}
			for name, v := range map[string]string{"impact": impact, "urgency": urgency} {
				if v != "" && !slices.Contains(levels, priority.Level(v)) {
					return nil, misused("--%s %q: want %s", name, v, joined(levels))
				}
			}
			reason, err := a.text(args)
			return incident.SetPriority{Impact: priority.Level(impact), Urgency: priority.Level(urgency), Reason: reason}, err
		},
	}
}

func (a *app) closing() deed {
	var note, without string
	return deed{
		use: "close INCIDENT", short: "End a resolved incident before the time for reopening is over",
		example: "close " + anID,
		long: "End a resolved incident before the time for reopening is over. Its customers have to have had the all-clear and the result report that\n" +
			"was promised, and whoever is asked whether it is fixed has to have answered; where one has not, --without says why.",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&note, "note", "", "`TEXT` for the timeline")
			cmd.Flags().StringVar(&without, "without", "", "`TEXT` that says why customers do not get what is due to them")
		},
		command: func([]string) (incident.Command, error) { return incident.Close{Note: note, Without: without}, nil },
	}
}

func (a *app) update() deed {
	var customer, status, expected, workaround string
	var public bool
	return deed{
		use: "update INCIDENT TEXT...", short: "Tell the customers how it goes, in your own words",
		long: "Tell the customers, or one of them, how it goes. They read the text as it stands; \"-\" reads it from the standard input.\n\nOn a resolved incident it is the all-clear of customers to whom only people write.\n\n" +
			"With a status they read how far it is: " + joined(incident.PublicStatuses()) + "; without one, what the incident itself tells.\n\n" + times,
		example: "update " + anID + " \"We have found the cause and are rolling back.\"\nupdate " + anID + " --customer acme - <update.txt\nupdate " + anID +
			" --status identified --expected \"2026-11-26 18:00\" --workaround \"Please pay by bank transfer.\" \"We know the cause.\"",
		flags: func(cmd *cobra.Command) {
			customerFlag(cmd, &customer)
			cmd.Flags().StringVar(&status, "status", "", "the public `STATUS`: "+joined(incident.PublicStatuses()))
			cmd.Flags().StringVar(&expected, "expected", "", "`TIME` at which normal operation is expected to be back")
			cmd.Flags().StringVar(&workaround, "workaround", "", "`TEXT`: what the customers can do until then")
			cmd.Flags().BoolVar(&public, "public", false, "on the status pages too, as everything after it that all customers read")
		},
		command: func(args []string) (incident.Command, error) {
			c := incident.SendUpdate{Customer: customer, Status: incident.PublicStatus(status), Workaround: workaround, Public: public}
			if status != "" && !slices.Contains(incident.PublicStatuses(), c.Status) {
				return nil, misused("--status %q: want %s", status, joined(incident.PublicStatuses()))
			}
			var err error
			if expected != "" {
				if c.Expected, err = a.clockTime("--expected", expected); err != nil {
					return nil, err
				}
			}
			c.Text, err = a.text(args)
			return c, err
		},
	}
}

const aSHA256 = "1f2a9c61d2c2f4b2a8a3f1f0a2f9c7f8a4f5d2b1c0e9f8a7b6c5d4e3f2a1b0c9" // in examples

func (a *app) approveUpdate() deed {
	return deed{
		use: "approve-update INCIDENT SHA256", short: "Send the customers a text that somebody else has written",
		long: "Send a text to customers that waits for an approval. The SHA-256 is that of the text that you have read in muster incident show, all\n" +
			"64 characters of it.",
		example: "approve-update " + anID + " " + aSHA256,
		command: func(args []string) (incident.Command, error) { return incident.ApproveUpdate{SHA256: args[0]}, nil },
	}
}

func (a *app) rejectUpdate() deed {
	return deed{
		use: "reject-update INCIDENT SHA256 REASON...", short: "Take back a text to customers that waits for an approval",
		example: "reject-update " + anID + " " + aSHA256 + " \"it names a machine\"",
		command: func(args []string) (incident.Command, error) {
			reason, err := a.text(args[1:])
			return incident.RejectUpdate{SHA256: args[0], Reason: reason}, err
		},
	}
}

func (a *app) pause() deed {
	var customer, cause string
	return deed{
		use: "pause INCIDENT PROMISE REASON...", short: "Stop the time of a promise",
		long:    "Stop the time of a promise to the customers, or to one of them. Promises: " + joined(supportplan.Targets()) + ".",
		example: "pause " + anID + " resolve --customer acme --for customer \"waiting for their change window\"",
		next:    strings.Split(joined(supportplan.Targets()), ", "),
		flags: func(cmd *cobra.Command) {
			customerFlag(cmd, &customer)
			cmd.Flags().StringVar(&cause, "for", "", "for whom the time stands still: `CAUSE`, "+joined(supportplan.Causes())+", as the support plan allows")
		},
		command: func(args []string) (incident.Command, error) {
			target, err := targetOf(args[0])
			if err != nil {
				return nil, err
			}
			if cause != "" && !slices.Contains(supportplan.Causes(), supportplan.Cause(cause)) {
				return nil, misused("--for %q: want %s", cause, joined(supportplan.Causes()))
			}
			reason, err := a.text(args[1:])
			return incident.PauseClock{Customer: customer, Target: target, For: supportplan.Cause(cause), Reason: reason}, err
		},
	}
}

func (a *app) resume() deed {
	var customer string
	return deed{
		use: "resume INCIDENT PROMISE", short: "Let the time of a promise run on",
		example: "resume " + anID + " resolve --customer acme",
		next:    strings.Split(joined(supportplan.Targets()), ", "),
		flags:   func(cmd *cobra.Command) { customerFlag(cmd, &customer) },
		command: func(args []string) (incident.Command, error) {
			target, err := targetOf(args[0])
			return incident.ResumeClock{Customer: customer, Target: target}, err
		},
	}
}

func customerFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "customer", "", "only this customer, by `ID`; default: all")
}

func targetOf(name string) (supportplan.Target, error) {
	if t := supportplan.Target(name); slices.Contains(supportplan.Targets(), t) {
		return t, nil
	}
	return "", misused("PROMISE %q: want %s", name, joined(supportplan.Targets()))
}
