package heartbeat

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
)

// Alert is the alert of a heartbeat that fires since an instant.
func (d Definition) Alert(since time.Time, summary, text string) alert.Alert {
	a := alert.Alert{
		Fingerprint: d.ID, Name: d.ID, State: alert.Firing, StartsAt: since.UTC(),
		Labels: append(slices.Clone(d.Labels), alert.Label{Name: NameLabel, Value: d.ID}, alert.Label{Name: IDLabel, Value: d.ID}),
	}
	slices.SortFunc(a.Labels, func(a, b alert.Label) int { return cmp.Compare(a.Name, b.Name) })
	if text != "" {
		a.Annotations = append(a.Annotations, alert.Label{Name: "description", Value: text})
	}
	a.Annotations = append(a.Annotations, alert.Label{Name: "summary", Value: summary})
	return a
}

// missed says what has not come.
func (h *Heartbeat) missed() string {
	d, korean := &h.Definition, h.Definition.Language == "ko"
	switch {
	case !h.Started.IsZero() && d.Lasts > 0 && korean:
		return fmt.Sprintf("%s: %s에 시작한 작업이 %s 안에 끝나지 않음", d.Name, stamp(h.Started), span(d.Lasts))
	case !h.Started.IsZero() && d.Lasts > 0:
		return fmt.Sprintf("%s: began at %s and is not done after %s", d.Name, stamp(h.Started), span(d.Lasts))
	case h.Last.IsZero() && korean:
		return fmt.Sprintf("%s: %s부터 기다렸으나 신호가 한 번도 없음", d.Name, stamp(h.Since))
	case h.Last.IsZero():
		return fmt.Sprintf("%s: never heard of since it was defined at %s", d.Name, stamp(h.Since))
	case korean:
		return fmt.Sprintf("%s: %s 이후 신호 없음 (주기 %s, 유예 %s)", d.Name, stamp(h.Last), span(d.Every), span(d.Grace))
	}
	return fmt.Sprintf("%s: not heard of since %s (every %s, %s of grace)", d.Name, stamp(h.Last), span(d.Every), span(d.Grace))
}

// failed says that the job has.
func (h *Heartbeat) failed(at time.Time) string {
	if h.Definition.Language == "ko" {
		return fmt.Sprintf("%s: %s에 작업이 실패를 알림", h.Definition.Name, stamp(at))
	}
	return fmt.Sprintf("%s: the job said at %s that it failed", h.Definition.Name, stamp(at))
}

// stamp writes an instant at the offset from UTC with which it came: that of the organisation, which needs no table of zones here.
func stamp(t time.Time) string {
	if _, offset := t.Zone(); offset == 0 {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

// span writes a time as the organisation folder does: 1d, 1h30m, 90s.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	text := ""
	if days := d / day; days > 0 {
		text, d = fmt.Sprintf("%dd", days), d%day
		if d == 0 {
			return text
		}
	}
	text += d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
