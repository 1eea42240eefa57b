package report_test

import (
	"testing"

	"muster/internal/report"
)

func TestJosa(t *testing.T) {
	for _, row := range []struct{ word, pair, want string }{
		{"인시던트", "은/는", "인시던트는"},
		{"호출", "은/는", "호출은"},
		{"김민수 님", "이/가", "김민수 님이"},
		{"고객사", "이/가", "고객사가"},
		{"경보", "을/를", "경보를"},
		{"런북", "을/를", "런북을"},
		{"고객사", "과/와", "고객사와"},
		{"파트너", "과/와", "파트너와"},
		{"벤더들", "과/와", "벤더들과"},
		{"서울", "으로/로", "서울로"}, // ㄹ
		{"부산", "으로/로", "부산으로"},
		{"제주", "으로/로", "제주로"},
		// Digits as they are read: 영 일 이 삼 사 오 육 칠 팔 구, 십.
		{"P1", "을/를", "P1을"},
		{"P2", "을/를", "P2를"},
		{"3", "을/를", "3을"},
		{"4", "은/는", "4는"},
		{"5", "이/가", "5가"},
		{"6", "으로/로", "6으로"},
		{"7", "으로/로", "7로"},
		{"8", "으로/로", "8로"},
		{"9", "과/와", "9와"},
		{"10", "을/를", "10을"},
		{"P3 높음", "으로/로", "P3 높음으로"},
		// Abbreviations are spelt.
		{"DB", "을/를", "DB를"},
		{"SLA", "을/를", "SLA를"},
		{"API", "을/를", "API를"},
		{"URL", "을/를", "URL을"},
		{"VPN", "을/를", "VPN을"},
		{"VM", "이/가", "VM이"},
		{"URL", "으로/로", "URL로"},
		{"VPN", "으로/로", "VPN으로"},
		// Words are read as they are written in Hangul.
		{"email", "으로/로", "email로"},
		{"webhook", "으로/로", "webhook으로"},
		{"sms", "으로/로", "sms로"},
		{"Slack", "으로/로", "Slack으로"},
		{"console", "을/를", "console을"},
		{"Muster", "이/가", "Muster가"},
		{"Payments", "은/는", "Payments는"},
		{"Checkout", "이/가", "Checkout이"},
		{"root", "을/를", "root를"},
		{"database", "을/를", "database를"},
		{"system", "은/는", "system은"},
		{"volume", "이/가", "volume이"},
		// What stands in brackets is not read, nor is what cannot be.
		{"확인(ACK)", "을/를", "확인(ACK)을"},
		{"서비스 수준 협약(SLA)", "을/를", "서비스 수준 협약(SLA)을"},
		{"(DB)", "을/를", "(DB)를"},
		{"'경보'", "이/가", "'경보'가"},
		{"DB.", "을/를", "DB.를"},
		{"", "을/를", "을(를)"},
		{"→", "으로/로", "→(으)로"},
		{"日本", "은/는", "日本은(는)"},
		{"경보", "만", "경보만"},
	} {
		if got := report.Josa(row.word, row.pair); got != row.want {
			t.Errorf("%q %s: got %q, want %q", row.word, row.pair, got, row.want)
		}
	}
}
