package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/audit"
)

// replayed is what replaying a file has come to.
type replayed struct {
	File string `json:"file"`
	*audit.Replayed
}

func (a *app) auditReplay() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use:   "replay " + recordArgument + "...",
		Short: "Run recorded histories through the workflows of this program, and compare",
		Long: `Run recorded histories through the workflows of this program, and compare what it does with the record: those in a bundle, those that
muster incident history has exported, or all that an archive has of an ID. Compared are decisions, lengths of timers, inputs of activities and of
other workflows, answers, what lists were told, the state that one run hands to the next, and the state and the timeline of a bundle. Each difference names the run, the event and the place in its JSON. It needs no server and no
network, and fails where there is a difference.

A program of a later version may tell activities more than the one that has recorded: that is a difference, too. A replay takes what came
in from the record: muster audit actors checks who has sent it. Where nothing followed from something, such as when an activity was
begun, no replay can tell that it was changed.`,
		Example: "  muster incident history " + anID + " --file " + anID + ".json\n  muster audit replay " + anID + ".json\n" +
			"  muster audit replay " + anID + "   # of an archive\n  muster audit replay *.json -o json",
		Args: wants(recordArgument + "..."),
	}
	a.vaultFlags(cmd, &v)
	a.viewFlags(cmd)
	cmd.RunE = a.shows(func(cmd *cobra.Command, of []string) error { return a.replayAll(cmd.Context(), v, of) })
	return cmd
}

func (a *app) replayAll(ctx context.Context, v vault, of []string) error {
	all, differ := []replayed{}, 0
	var unread []error
	for _, what := range of {
		found, err := a.replays(ctx, v, what)
		unread, all = append(unread, err), append(all, found...)
	}
	for _, r := range all {
		if len(r.Differences.Listed) > 0 {
			differ++
		}
	}
	if err := a.answer(all, func(w io.Writer) {
		words := replayWordsIn(a.language())
		words.duration = func(d time.Duration) string { return a.view.texts.Duration(d, a.language()) }
		for _, r := range all {
			words.write(w, r)
		}
	}); err != nil {
		return err
	}
	if differ > 0 {
		unread = append(unread, errors.New(numbered("audit replay: %d of %d file(|s) (differs|differ) from what this program does", differ, len(all))))
	}
	return errors.Join(unread...)
}

// replays replays what a file holds, or all that an archive has of an ID.
func (a *app) replays(ctx context.Context, v vault, what string) (all []replayed, err error) {
	found, err := a.keptOf(ctx, v, what)
	if err != nil {
		return nil, err
	}
	for _, k := range found {
		r, err := k.Replay()
		if err != nil {
			return all, fmt.Errorf("%s: %w", k.file, err)
		}
		all = append(all, replayed{k.file, r})
	}
	return all, nil
}

// A keptFile is what is kept in one file.
type keptFile struct {
	audit.Kept

	file string
}

// keptOf reads what a file holds, or all that an archive has of an ID.
func (a *app) keptOf(ctx context.Context, v vault, what string) (all []keptFile, err error) {
	if strings.ContainsAny(what, "./") {
		keys, err := a.decrypts()
		if err != nil {
			return nil, err
		}
		k, err := audit.Open(what, keys)
		return []keptFile{{k, what}}, err
	}
	records, err := a.recordsOf(ctx, v, what)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		b, err := r.inClear()
		var k audit.Kept
		if err == nil {
			k, err = audit.KeptIn(r.File, b)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, keptFile{k, r.File})
	}
	return all, nil
}

// replayWords say how a replay has gone.
type replayWords struct {
	file, same, state, run, event, differs, nothing, more string
	kinds                                                 map[audit.Kind]string // empty: as they are
	duration                                              func(time.Duration) string
}

func replayWordsIn(language string) replayWords {
	if language == "ko" {
		return replayWords{
			file: "%s: %s %s, 실행 %d회, 이벤트 %d건", same: "동일하게 재현됨: 결정, 타이머, 입력, 응답", state: ", 상태",
			run: "실행 %d", event: ", 이벤트 %d", differs: "  %s: %s: 기록 %s, 이 프로그램 %s", nothing: "없음", more: "  그 외 %d건",
			kinds: map[audit.Kind]string{
				audit.EventNumber: "이벤트 번호", audit.WorkflowType: "워크플로 종류", audit.Decision: "결정", audit.TimerLength: "타이머 길이",
				audit.ActivityIn: "액티비티 입력", audit.ChildStart: "하위 워크플로", audit.ChildIn: "하위 워크플로 입력", audit.SignalSent: "시그널",
				audit.UpdateAnswer: "업데이트 응답", audit.Attributes: "검색 속성", audit.Removed: "삭제된 필드 수", audit.Memo: "메모", audit.TakenOver: "입력(이전 실행이 넘긴 상태와 비교)",
				audit.HandedOn: "다음 실행에 넘긴 상태", audit.Result: "결과", audit.Failure: "실패", audit.State: "상태", audit.Timeline: "타임라인", audit.Unanswered: "원인이 없는 이벤트",
			},
		}
	}
	return replayWords{
		file: "%s: %s %s, %d run(|s), %d event(|s)", same: "replays: the same decisions, timers, inputs and answers", state: " and state",
		run: "run %d", event: ", event %d", differs: "  %s: %s: the record has %s, this program %s", nothing: "nothing", more: "  and %d more",
	}
}

func (words replayWords) write(w io.Writer, r replayed) {
	head := numbered(words.file, r.File, r.Type, cmp.Or(r.ID, r.Workflow), r.Runs, r.Events)
	if len(r.Differences.Listed) == 0 {
		same := words.same
		if r.Compared {
			same += words.state
		}
		lines(w, head+": "+same)
		return
	}
	lines(w, head)
	for _, d := range r.Differences.Listed {
		lines(w, words.difference(d))
	}
	if more := r.Differences.More; more > 0 {
		lines(w, fmt.Sprintf(words.more, more))
	}
}

func (words replayWords) difference(d audit.Difference) string {
	where := fmt.Sprintf(words.run, d.Run)
	if d.Event != 0 {
		where += fmt.Sprintf(words.event, d.Event)
	}
	what := cmp.Or(words.kinds[d.Kind], string(d.Kind))
	for _, part := range []string{d.Of, d.Path} {
		if part != "" {
			what += " " + part
		}
	}
	return fmt.Sprintf(words.differs, where, what, words.value(d.Kind, d.Recorded), words.value(d.Kind, d.Replayed))
}

// value is what a record or this program has. The length of a timer is written as people read it where that loses nothing.
func (words replayWords) value(k audit.Kind, v string) string {
	if length, err := time.ParseDuration(v); k == audit.TimerLength && err == nil && length >= time.Second {
		if length%time.Minute == 0 || length < time.Hour && length%time.Second == 0 {
			return words.duration(length)
		}
	}
	return cmp.Or(v, words.nothing)
}
