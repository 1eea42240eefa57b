package cli

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"muster/internal/heartbeat"
	"muster/starter/api"
)

func (a *app) heartbeats() *cobra.Command {
	status := ""
	cmd := &cobra.Command{
		Use: "heartbeats", GroupID: "work", Short: "Show the jobs that are listened for, those that fire first",
		Long: `Show the jobs that the organisation folder listens for: when each was last heard of, and when its next beat is missed. Those whose alert
fires come first.`,
		Example:           "  muster heartbeats\n  muster heartbeats --status missed -o json",
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(heartbeat.Statuses(), heartbeat.Status(status)) {
				return misused("--status %q: want %s", status, joined(heartbeat.Statuses()))
			}
			return wants()(nil, args)
		},
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			list, err := c.Heartbeats(ctx, heartbeat.Status(status))
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) {
				if len(list.Heartbeats) == 0 {
					a.none("no heartbeats", "하트비트가 없습니다")
					return
				}
				a.page(w, list.Language, list.Zone).heartbeats(list.Heartbeats)
			})
		}),
	}
	cmd.Flags().StringVar(&status, "status", "", "only those that are `STATUS`")
	_ = cmd.RegisterFlagCompletionFunc("status", completions(heartbeat.Statuses()))
	a.clientFlags(cmd)
	a.viewFlags(cmd)
	return cmd
}

// beatWords are the words of heartbeats in one language.
type beatWords struct {
	id, name, source, last, due, every string

	statuses map[heartbeat.Status]string
}

func beatWordsIn(language string) beatWords {
	if language == "ko" {
		return beatWords{
			id: "ID", name: "이름", source: "경보 출처", last: "마지막 신호", due: "다음 기한", every: "주기",
			statuses: map[heartbeat.Status]string{
				heartbeat.New: "대기", heartbeat.Beating: "정상", heartbeat.Missed: "미수신", heartbeat.Failing: "실패", heartbeat.Retired: "제외", heartbeat.Unknown: "알 수 없음",
			},
		}
	}
	return beatWords{
		id: "ID", name: "Name", source: "Source", last: "Last beat", due: "Next due", every: "Every",
		statuses: map[heartbeat.Status]string{
			heartbeat.New: "new", heartbeat.Beating: "beating", heartbeat.Missed: "missed", heartbeat.Failing: "failed", heartbeat.Retired: "retired", heartbeat.Unknown: "unknown",
		},
	}
}

// heartbeats shows one row for each.
func (p page) heartbeats(all []api.HeartbeatRow) {
	say := beatWordsIn(p.language)
	shade := map[heartbeat.Status]colour{heartbeat.New: dim, heartbeat.Beating: green, heartbeat.Missed: red, heartbeat.Failing: red, heartbeat.Retired: dim, heartbeat.Unknown: yellow}
	rows := [][]string{p.head(say.id, p.say.status, say.last, say.due, say.every, say.source, say.name)}
	for _, h := range all {
		last, due := "", ""
		if !h.Last.IsZero() {
			last = p.instant(h.Last)
		}
		if !h.Due.IsZero() {
			due = p.away(h.Due, p.say.in, p.say.over)
		}
		rows = append(rows, []string{
			printable(h.ID), p.paint(shade[h.Status], printable(say.statuses[h.Status])), last, due, p.view.texts.Duration(h.Every, p.language),
			printable(h.Source), printable(h.Name),
		})
	}
	p.rows(p.w, rows, cut)
}
