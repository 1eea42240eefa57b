package selfwatch_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/selfwatch"
)

// People hear once whom nothing reaches, again when that changes, once a day while it lasts, and when it is mended.
func TestPeopleWhomNothingReachesAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			p     phone
			names []string
			away  error
		)
		w := &selfwatch.Watch{
			Temporal: &engine{}, Notify: p.notify, Name: "worker", Language: "en",
			Reach: func(context.Context) ([]string, error) { return names, away },
		}
		rounds := func(d time.Duration) string {
			var all []string
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(15 * time.Second) {
				w.Round(t.Context())
				for _, m := range p.take() {
					lines := strings.Split(m, "\n")
					all = append(all, lines[1:]...)
				}
			}
			return strings.Join(all, "\n")
		}
		const failed = " on call or in a policy cannot be reached: every contact method has failed at its newest attempt (muster contacts): "
		for _, step := range []struct {
			names []string
			away  error
			lasts time.Duration
			want  string
		}{
			{nil, nil, time.Hour, ""},
			{[]string{"Kim (kim)"}, nil, 10 * time.Hour, "- PROBLEM reach: 1" + failed + "Kim (kim)"},
			{nil, errors.New("no worker answers"), time.Hour, ""},
			{[]string{"Kim (kim)", "Park (park)"}, nil, time.Hour, "- STILL reach: 2" + failed + "Kim (kim), Park (park) (for 11h)"},
			{[]string{"Park (park)"}, nil, 25 * time.Hour, "- STILL reach: 1" + failed + "Park (park) (for 12h)\n- STILL reach: 1" + failed + "Park (park) (for 36h)"},
			{nil, nil, time.Hour, "- ALL CLEAR reach: ok (for 37h30s)"},
		} {
			names, away = step.names, step.away
			if got := rounds(step.lasts); got != step.want {
				t.Errorf("%v, %v: told\n%s\nwant\n%s", step.names, step.away, got, step.want)
			}
		}
	})
}

// What operators read of it names nobody; nobody is named as unreachable because no worker has answered.
func TestReachInAStatus(t *testing.T) {
	for want, answer := range map[string]func(context.Context) ([]string, error){
		"[+]reach ok": func(context.Context) ([]string, error) { return nil, nil },
		"[-]reach 1 on call or in a policy cannot be reached: every contact method has failed at its newest attempt (muster contacts)": func(context.Context) ([]string, error) {
			return []string{"Kim (kim)"}, nil
		},
		"[-]reach not known: nobody has answered in time": func(context.Context) ([]string, error) { return nil, errors.New("away") },
	} {
		w := &selfwatch.Watch{Temporal: &engine{}, Notify: (&phone{}).notify, Reach: answer}
		s := w.Round(t.Context())
		c := s.Checks[len(s.Checks)-2]
		got := map[bool]string{true: "[+]", false: "[-]"}[c.OK] + c.Name + " " + c.Text
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if names := w.Checks(); names[len(names)-2] != "reach" {
			t.Errorf("checks %q", names)
		}
	}
	korean := &phone{}
	w := &selfwatch.Watch{Temporal: &engine{}, Notify: korean.notify, Language: "ko", Reach: func(context.Context) ([]string, error) { return []string{"김민수 (kim)"}, nil }}
	w.Round(t.Context())
	if got := korean.take(); len(got) != 1 || !strings.Contains(got[0], "- 문제 발생 reach: ") || !strings.Contains(got[0], "연락 불가") || !strings.Contains(got[0], "김민수 (kim)") {
		t.Errorf("told %q", got)
	}
}
