package report_test

import "testing"

// A refusal says what Muster has refused in the reader's language, and what it does not know as it is.
func TestRefusalsOfRunsAreSaidInTheLanguageOfTheReader(t *testing.T) {
	for why, want := range map[string][2]string{
		"vote on task go of RUN-7K3M9QX2PA: 김민수: not among the voters": {"김민수 is not among the voters", "승인권자가 아님(김민수)"},
		"confirm override of RUN-7K3M9QX2PA: kim has asked for it: want another person": {
			"kim has asked for it: want another person", "요청자 본인(kim), 다른 사람이 해야 함",
		},
		"check task load of RUN-7K3M9QX2PA: kim has worked on it: want another person": {
			"kim has worked on it: want another person", "작업자 본인(kim), 다른 사람이 해야 함",
		},
		"begin task load of RUN-7K3M9QX2PA: kim was asked to do it, not lee": {"kim was asked to do it, not lee", "지정된 담당자 kim, 요청한 사람 lee"},
		"begin task load of RUN-7K3M9QX2PA: kim may not; want Lead (lead)":   {"kim may not; want Lead (lead)", "권한 없음(kim), 필요한 역할: Lead (lead)"},
		"begin task load of RUN-7K3M9QX2PA: its environment may not be changed now": {
			"its environment may not be changed now", "지금은 환경을 변경할 수 없음",
		},
		"carol: not among the voters": {"carol: not among the voters", "carol: not among the voters"},
	} {
		for n, language := range []string{"en", "ko"} {
			if got := texts(t).PlanReason(why, language); got != want[n] {
				t.Errorf("%s: %q: got %q, want %q", language, why, got, want[n])
			}
		}
	}
}
