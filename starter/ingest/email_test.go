package ingest

import (
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
)

func TestWhatASubjectSays(t *testing.T) {
	for _, tc := range []struct {
		how     Mail
		subject string
		state   alert.State
		key     string
	}{
		{Mail{}, "** PROBLEM Service Alert: web-1/HTTP is CRITICAL **", alert.Firing, "service alert: web-1/http is"},
		{Mail{}, "** RECOVERY Service Alert: web-1/HTTP is OK **", alert.Resolved, "service alert: web-1/http is"},
		{Mail{}, "[FIRING:2] HighLatency (eu)", alert.Firing, "highlatency (eu)"},
		{Mail{}, "[RESOLVED] HighLatency (eu)", alert.Resolved, "highlatency (eu)"},
		{Mail{}, "Problem: disk problem on web-1", alert.Firing, "disk on web-1"},
		{Mail{}, "Resolved in 3m 2s: disk problem on web-1", alert.Resolved, "disk on web-1"},
		{Mail{}, "web-1 is DOWN", alert.Firing, "web-1 is"},
		{Mail{}, "RE: web-1 is up", alert.Resolved, "web-1 is"},
		{Mail{}, "WARNING: disk", alert.Firing, "disk"},
		{Mail{}, "web uplink DOWN (was up)", alert.Firing, "web uplink (was )"},
		{Mail{}, "was it UP or DOWN", alert.Firing, "was it or"},
		{Mail{}, "[장애] 결제 서버", alert.Firing, "결제 서버"},
		{Mail{}, "[복구] 결제 서버", alert.Resolved, "결제 서버"},
		{Mail{}, "Backup of db-1", alert.Firing, "backup of db-1"}, // says neither
		{Mail{}, "OK", alert.Resolved, "ok"},
		{Mail{}, "[shop] Resolved: queue is full", alert.Resolved, "[shop] : queue is full"},
		{Mail{}, "[DB01] 서버 비정상 종료", alert.Firing, "[db01] 서버 비 종료"},
		{Mail{}, "비정상 접속 감지: fw-1", alert.Firing, "비 접속 감지: fw-1"},
		{Mail{}, "복구 실패: db-1", alert.Firing, "db-1"},
		{Mail{}, "DB 미복구", alert.Firing, "db 미"},
		{Mail{}, "결제 서버 복구 완료", alert.Resolved, "결제 서버"},
		{Mail{}, "[복구완료] 서버 web-10 다운", alert.Resolved, "서버 web-10"},
		{Mail{}, "[장애복구] 서버 web-9", alert.Resolved, "서버 web-9"},
		{Mail{}, "장애 해소: db-20", alert.Resolved, "db-20"},
		{Mail{}, "서버 web-9 다운 복구", alert.Resolved, "서버 web-9"},
		{Mail{}, "서버 web-9 장애 복구 완료", alert.Resolved, "서버 web-9"},
		{Mail{}, "[정상화] 서버 web-9 다운", alert.Resolved, "서버 web-9"},
		{Mail{}, "장애 복구 실패: db-1", alert.Firing, "db-1"},
		{Mail{}, "장애 미복구: db-1", alert.Firing, "미 : db-1"},
		{Mail{}, "장애 복구 중: db-1", alert.Firing, "중: db-1"},
		{Mail{}, "Recovery failed: db-1", alert.Firing, "db-1"},
		{Mail{}, "Backup not ok on db-1", alert.Firing, "backup not on db-1"},
		{Mail{}, "web-1 HTTP not up", alert.Firing, "web-1 http not"},
		{Mail{}, "Normal limit exceeded on web-1", alert.Firing, "limit exceeded on web-1"},
		{Mail{}, "Follow up: queue stuck", alert.Firing, "follow : queue stuck"},
		{Mail{Resolved: "green"}, "shop is green", alert.Resolved, "shop is"},
		{Mail{Resolved: "green"}, "shop is OK", alert.Firing, "shop is"},
		{Mail{Firing: "red", Resolved: "red|green"}, "shop is red", alert.Firing, "shop is"},
		{Mail{Firing: "red"}, "RECOVERY of red things", alert.Firing, "of things"},
		{Mail{Firing: "red"}, "shop is ok", alert.Resolved, "shop is"},
		{Mail{Subject: `^(?P<host>\S+) (?P<severity>\w+) (?P<what>\w+)`}, "web-1 CRITICAL http 7 s", alert.Firing, "host=web-1 what=http"},
		{Mail{Subject: `^(?P<host>\S+) (?P<severity>\w+) (?P<what>\w+)`}, "web-1 OK http 0 s", alert.Resolved, "host=web-1 what=http"},
		{Mail{Subject: `^nothing (?P<host>\S+)`}, "web-1 DOWN", alert.Firing, "web-1"},
	} {
		if err := tc.how.compile(); err != nil {
			t.Fatal(err)
		}
		_, key := tc.how.identity(tc.subject)
		if state := tc.how.stateOf(tc.subject); state != tc.state || key != tc.key {
			t.Errorf("%+v, %q: got %s, %q; want %s, %q", tc.how, tc.subject, state, key, tc.state, tc.key)
		}
	}
}

func TestMailsThatAreNotTaken(t *testing.T) {
	for _, tc := range []struct{ mail, want string }{
		{"no header\r\n\r\ntext", "want a mail as RFC 5322 has it"},
		{"Subject: DOWN\r\nFrom: eve@example.org\r\n\r\n", `From: want one of those of source sample in the organisation folder, got "eve@example.org"`},
		{"Subject: DOWN\r\nFrom: eve@not-kr.example.com\r\n\r\n", "want one of those of source sample"},
		{"Subject: DOWN\r\n\r\n", "want one of those of source sample"},
		{"Subject: Away\r\nFrom: a@kr.example.com\r\nAuto-Submitted: auto-replied (vacation)\r\n\r\n", "want no automatic reply"},
		{"Subject: \r\nFrom: a@kr.example.com\r\n\r\n", "want one that says what the mail is about"},
	} {
		if _, err := decodeEmail(sample(format{name: alert.Email}, ""), []byte(tc.mail)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: got %v, want %q", tc.mail, err, tc.want)
		}
	}
}

// A date is believed unless it lies ahead, or is older than mail is kept.
func TestWhenAMailWasWritten(t *testing.T) {
	for _, tc := range []struct {
		date string
		want time.Time
	}{
		{"Sun, 22 Nov 2026 18:59:55 +0900", received.Add(-5250 * time.Millisecond)},
		{"Sun, 22 Nov 2026 18:59:55 +0900 (KST)", received.Add(-5250 * time.Millisecond)},
		{"22 Nov 26 09:59 GMT", received.Add(-60250 * time.Millisecond)},
		{"Sun, 22 Nov 2026 19:59:55 +0900", received},
		{"Sun, 15 Nov 2026 18:59:55 +0900", received},
		{"yesterday", received},
	} {
		l, err := readLetter([]byte("Date: "+tc.date+"\r\nSubject: x\r\n\r\n"), received)
		if err != nil || !l.date.Equal(tc.want) {
			t.Errorf("%s: got %s, %v; want %s", tc.date, l.date, err, tc.want)
		}
	}
}

// Old monitors write a subject in the charset of the mail without saying so.
func TestASubjectInRawBytes(t *testing.T) {
	const subject = "\xc0\xe5\xbe\xd6: \xb5\xf0\xbd\xba\xc5\xa9" // 장애: 디스크
	for _, header := range []string{"Content-Type: text/plain; charset=euc-kr\r\n", ""} {
		m, err := decodeEmail(sample(format{name: alert.Email}, ""), []byte("Subject: "+subject+"\r\nFrom: a@kr.example.com\r\n"+header+"\r\nx"))
		if err != nil || len(m.alerts) != 1 || m.title != "장애: 디스크" || m.alerts[0].Name != "디스크" {
			t.Errorf("%q: got %+v, %v", header, m, err)
		}
	}
}
