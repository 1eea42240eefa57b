package devserver

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

const (
	// longestValue keeps one log line readable: the server puts whole requests into some values.
	longestValue = 500
	// pause is how long a message stays silent after it was written: when the disk is slow the server says so for
	// every task that waits, hundreds of times a second. The next line says how many were left out.
	pause = 10 * time.Second
)

// logger hands the server's warnings and errors to slog.
type logger struct {
	out   *slog.Logger
	muted *atomic.Bool
	fatal chan error // holds the first fatal report
	tags  []tag.Tag
	said  *said
}

// said remembers when each message was last written.
type said struct {
	sync.Mutex
	messages map[string]message
}

type message struct {
	at      time.Time
	leftOut int
}

var (
	_ log.Logger     = (*logger)(nil)
	_ log.WithLogger = (*logger)(nil)
)

func newLogger(out *slog.Logger) *logger {
	return &logger{
		out:   out.With("from", "temporal"),
		muted: new(atomic.Bool),
		fatal: make(chan error, 1),
		said:  &said{messages: make(map[string]message)},
	}
}

func (l *logger) mute() { l.muted.Store(true) }

// With returns a logger that adds tags. They are turned into attributes only when something is written: the server
// makes many more loggers than it writes lines.
func (l *logger) With(tags ...tag.Tag) log.Logger {
	c := *l
	c.tags = slices.Concat(l.tags, tags)
	return &c
}

// Debug writes nothing.
func (l *logger) Debug(string, ...tag.Tag) {}

// Info writes nothing: what the server says at this level is its own business.
func (l *logger) Info(string, ...tag.Tag) {}

// Warn writes a warning.
func (l *logger) Warn(msg string, tags ...tag.Tag) { l.write(slog.LevelWarn, msg, tags) }

// Error writes an error.
func (l *logger) Error(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// DPanic writes an error. The server panics here only when it is being developed.
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// Panic writes an error and panics. The server recovers where it handles requests.
func (l *logger) Panic(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	panic(msg)
}

// Fatal reports that the server cannot go on and ends the calling goroutine, not the process: the most likely cause
// is a port that something else took, which a start can try again; and a Muster that has to end should end orderly.
func (l *logger) Fatal(msg string, tags ...tag.Tag) {
	err := fmt.Errorf("temporal cannot go on: %s", strings.Join(append([]string{msg}, l.texts(tags)...), " "))
	select {
	case l.fatal <- err:
	default: // Only the first report counts: the others follow from it.
	}
	runtime.Goexit()
}

// report passes on, as Fatal does, what keeps the server from going on.
func (l *logger) report(causes <-chan error) {
	for err := range causes {
		select {
		case l.fatal <- err:
		default:
		}
	}
}

func (l *logger) write(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background() // The server's logger has none to pass on.
	if l.muted.Load() || !l.out.Enabled(ctx, level) || expected(msg, tags) {
		return
	}
	leftOut, ok := l.said.again(msg, time.Now())
	if !ok {
		return
	}
	var attrs []slog.Attr
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left-out", leftOut))
	}
	for _, t := range slices.Concat(l.tags, tags) {
		if !strings.Contains(t.Key(), "stack") {
			attrs = append(attrs, slog.Any(t.Key(), text(t)))
		}
	}
	l.out.LogAttrs(ctx, level, msg, attrs...)
}

// again says whether the message may be written now, and how many like it were not since it last was.
func (s *said) again(msg string, now time.Time) (leftOut int, ok bool) {
	s.Lock()
	defer s.Unlock()
	m, known := s.messages[msg]
	if known && now.Sub(m.at) < pause {
		m.leftOut++
		s.messages[msg] = m
		return 0, false
	}
	if len(s.messages) > 1000 { // Some messages contain what should be in tags.
		clear(s.messages)
	}
	s.messages[msg] = message{at: now}
	return m.leftOut, true
}

func (l *logger) texts(tags []tag.Tag) []string {
	var all []string
	for _, t := range slices.Concat(l.tags, tags) {
		all = append(all, fmt.Sprintf("%s=%v", t.Key(), text(t)))
	}
	return all
}

// text makes a value that prints the same with every slog handler.
func text(t tag.Tag) string {
	s := fmt.Sprint(t.Value())
	if len(s) > longestValue {
		s = strings.ToValidUTF8(s[:longestValue], "") + "…"
	}
	return s
}

// expected are lines that say nothing to anybody.
func expected(msg string, tags []tag.Tag) bool {
	switch {
	case strings.HasPrefix(msg, "HTTP API port has not been set"):
		// On purpose: any web page in the user's browser could post to it.
		return true
	case msg == "Queue reader unable to retrieve tasks":
		// While a shard starts its queues may be earlier than itself. They try again.
		return slices.ContainsFunc(tags, func(t tag.Tag) bool { return text(t) == "shard status unknown" })
	}
	return false
}
