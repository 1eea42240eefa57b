package selfwatch

import (
	"fmt"
	"strings"
	"time"
)

// texts are the words of one language.
type texts struct {
	title    string // with the name of the process and the instant
	turns    [3]string
	ok       string
	unknown  string
	silent   string // with the error
	overdue  string // with the count
	by       string // with the age
	problems string // with the count
	backlog  string // with the queue, the task type, the count and the age
	alone    string // added when nobody polls
	open     string // with the count and the age
	lost     string // with the count
	silence  string // what is unknown because no worker has answered
	since    string // with the duration
	units    [3]string
	space    string // between units
}

// english is the language of /readyz and of every message that asks for no other.
var english = texts{
	title:    "Muster watches itself: %s, %s",
	turns:    [3]string{"PROBLEM", "STILL", "ALL CLEAR"},
	ok:       "ok",
	unknown:  "not known: Temporal does not answer",
	silent:   "Temporal does not answer: %s",
	overdue:  "%d open runs have missed their next due time",
	by:       ", one of them by %s",
	problems: "%d open runs cannot go on: their workflow tasks fail",
	backlog:  "task queue %s: %[3]d %[2]s tasks wait for a worker, the oldest for %[4]s",
	alone:    "; no worker polls this queue",
	open:     "%d deliveries have no outcome, the oldest after %s",
	lost:     "%d on call or in a policy cannot be reached: every contact method has failed at its newest attempt (muster contacts)",
	silence:  "not known: nobody has answered in time",
	since:    " (for %s)",
	units:    [3]string{"h", "m", "s"},
}

// korean says the same; its words are those of docs/glossary.md.
var korean = texts{
	title:    "Muster 자체 감시: %s, %s",
	turns:    [3]string{"문제 발생", "문제 지속", "정상화"},
	ok:       "정상",
	unknown:  "알 수 없음: Temporal이 응답하지 않습니다",
	silent:   "Temporal이 응답하지 않습니다: %s",
	overdue:  "진행 중인 실행 %d건이 다음 기한 시각을 넘겼습니다",
	by:       "(그중 %s 초과)",
	problems: "진행 중인 실행 %d건이 더 진행되지 못합니다: 워크플로 작업이 실패하고 있습니다",
	backlog:  "작업 대기열 %s: %s 작업 %d건이 워커를 기다리고 있으며, 가장 오래된 것은 %s째입니다",
	alone:    "; 이 대기열을 처리하는 워커가 없습니다",
	open:     "결과가 없는 알림 전송이 %d건이며, 가장 오래된 것은 %s째입니다",
	lost:     "당직이거나 에스컬레이션 정책에 있는 %d명(곳)에 연락 불가: 모든 연락 수단의 최근 시도가 실패했습니다 (muster contacts)",
	silence:  "알 수 없음: 제시간에 응답이 없습니다",
	since:    " (%s째)",
	units:    [3]string{"시간", "분", "초"},
	space:    " ",
}

// textsFor returns the words of a language; English for one that is not known.
func textsFor(language string) texts {
	if language == "ko" {
		return korean
	}
	return english
}

// message is what people read: which process, when, and a line for each piece of news.
func (t texts) message(name string, now time.Time, due []news) string {
	if name == "" {
		name = "muster"
	}
	lines := []string{fmt.Sprintf(t.title, name, now.Format("2006-01-02 15:04:05 -07:00"))}
	for _, n := range due {
		line := fmt.Sprintf("- %s %s: %s", t.turns[n.turn], n.finding.check, t.facts(n.finding, true))
		if lasted := now.Sub(n.since); n.turn != begins || lasted > 0 {
			line += fmt.Sprintf(t.since, t.duration(lasted))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// facts says what a check saw. Only a message names runs.
func (t texts) facts(f finding, naming bool) string {
	var s string
	switch {
	case f.unknown && f.check == checkReach:
		return t.silence
	case f.unknown:
		return t.unknown
	case !f.bad:
		return t.ok
	case f.check == checkTemporal:
		return fmt.Sprintf(t.silent, short(f.err))
	case f.check == checkOverdue:
		s = fmt.Sprintf(t.overdue, f.count)
		if f.age > 0 {
			s += fmt.Sprintf(t.by, t.duration(f.age))
		}
	case f.check == checkProblems:
		s = fmt.Sprintf(t.problems, f.count)
	case f.check == checkReach:
		s = fmt.Sprintf(t.lost, f.count)
	case f.check == checkDeliveries:
		s = fmt.Sprintf(t.open, f.count, t.duration(f.age))
	default:
		s = fmt.Sprintf(t.backlog, f.queue, f.taskType, f.count, t.duration(f.age))
		if f.unattended {
			s += t.alone
		}
	}
	if naming && len(f.examples) > 0 {
		s += ": " + strings.Join(f.examples, ", ")
		if int64(len(f.examples)) < f.count {
			s += ", …"
		}
	}
	return s
}

// duration shows hours, minutes and seconds, without the parts that are zero.
func (t texts) duration(d time.Duration) string {
	d = d.Round(time.Second)
	var parts []string
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		if n := d / unit; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, t.units[i]))
			d -= n * unit
		}
	}
	if len(parts) == 0 {
		return "0" + t.units[2]
	}
	return strings.Join(parts, t.space)
}

// short makes one line of an error and cuts it.
func short(err error) string {
	const most = 300
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return string(text)
}
