package preset

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/ticket"
)

// Desk is a system of a preset, as an organisation uses it.
type Desk struct {
	Guard      outbound.Guard
	Timeout    time.Duration // of one request
	Preset     *Preset
	URL        string            // empty: the usual one
	Secret     string            // token or API key
	Settings   map[string]string // what the preset needs
	States     map[string]string // over those of the preset
	Priorities map[string]string // over those of the preset
	Fields     map[string]any    // others that a new ticket needs
	NoPriority bool              // tickets are given none
}

// rest is how long to wait for a ticket whose answer was lost.
const rest = 30 * time.Second

// candidates are how many tickets an attempt has the time to look at.
const candidates = 15

var safeID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// Open finds the ticket, or makes one.
func (d *Desk) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	if !ticket.SafeKey(t.Key) {
		return ticket.Ref{}, &delivery.Refusal{Detail: fmt.Sprintf("ticket %q cannot be asked for by this name", t.Key)}
	}
	found, err := d.find(ctx, t)
	if err == nil && found == nil {
		found, err = d.create(ctx, t)
	}
	if err != nil {
		return ticket.Ref{}, err
	}
	return d.ref(found), d.bring(ctx, found, t)
}

// Update brings a ticket up to date.
func (d *Desk) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	if !safeID.MatchString(ref.ID) || !ticket.SafeKey(t.Key) {
		return &delivery.Refusal{Detail: fmt.Sprintf("ticket %q cannot be asked for by this name", ref.ID)}
	}
	there, err := d.read(ctx, ref.ID)
	if err != nil {
		return err
	}
	return d.bring(ctx, there, t)
}

// item is a ticket as the system tells it.
type item struct {
	id, revision, text, state, link string

	ways []string
}

func (d *Desk) ref(i *item) ticket.Ref {
	link := i.link
	if page := d.Preset.Read.Page; page != "" {
		link, _ = d.places("id", i.id).path(page) // it was tried when the preset was read
	}
	return ticket.Ref{ID: i.id, URL: outbound.Link(link)}
}

// find reads those that the system has found until one has the mark.
func (d *Desk) find(ctx context.Context, t ticket.Ticket) (*item, error) {
	f := d.Preset.Find
	var out any
	if err := d.call(ctx, f.request, d.places("key", t.Key), nil, &out); err != nil {
		return nil, err
	}
	all, ok := f.Items.in(out).([]any)
	if !ok {
		return nil, d.strange()
	}
	for n, x := range all { // each names the key: others are tickets in which people speak of the incident
		if n == candidates {
			return nil, &delivery.Refusal{Detail: fmt.Sprintf("%d tickets speak of %s, and none of the first %d is its own", len(all), t.Key, candidates)}
		}
		id := f.ID.text(x)
		if !safeID.MatchString(id) {
			return nil, d.strange()
		}
		there, err := d.read(ctx, id)
		if err != nil {
			return nil, err
		}
		if ticket.FindMark(there.text, t.Key).Key != "" {
			return there, nil
		}
	}
	return nil, nil //nolint:nilnil // none there
}

func (d *Desk) read(ctx context.Context, id string) (*item, error) {
	r := d.Preset.Read
	var out any
	if err := d.call(ctx, request{Get: r.Get}, d.places("id", id), nil, &out); err != nil {
		return nil, err
	}
	i := &item{id: r.ID.text(out), revision: r.Revision.text(out), text: r.Text.text(out), state: r.State.text(out), link: r.Link.text(out)}
	if i.id != id {
		return nil, d.strange()
	}
	ways, _ := r.Ways.in(out).([]any)
	for _, w := range ways {
		i.ways = append(i.ways, r.Way.text(w))
	}
	return i, nil
}

// create makes the ticket. Its mark is not that of a revision, so that the update which follows moves it where it belongs.
func (d *Desk) create(ctx context.Context, t ticket.Ticket) (*item, error) {
	c, m := d.Preset.Create, t.Mark()
	m.Revision = 0
	p := d.filled(t, m)
	body := c.Body
	if p["priority"] != "" {
		body = join(body, c.Prioritised)
	}
	body, err := p.body(body)
	if err == nil {
		body, err = d.withFields(body)
	}
	if err != nil {
		return nil, &delivery.Refusal{Detail: "the new ticket cannot be written: " + err.Error()}
	}
	var out any
	if err := d.call(ctx, c.request, p, body, &out); err != nil {
		return nil, outbound.Later(err, rest)
	}
	id := c.ID.text(out)
	if !safeID.MatchString(id) { // it may be there all the same
		return nil, outbound.Later(d.strange(), rest)
	}
	return d.read(ctx, id)
}

// withFields adds the organisation's own fields to the body of a new ticket; what Muster says itself stays.
func (d *Desk) withFields(body any) (any, error) {
	c := d.Preset.Create
	if c.Each == nil {
		var own any = maps.Clone(d.Fields)
		for _, key := range slices.Backward(c.Under) {
			own = map[string]any{key: own}
		}
		if len(d.Fields) == 0 {
			return body, nil
		}
		return join(own, body), nil
	}
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		one, err := (places{"name": name}).body(c.Each)
		m, ok := one.(map[string]any)
		if err != nil || !ok {
			return nil, fmt.Errorf("field %s has no place: %w", name, err)
		}
		m["value"] = d.Fields[name]
		body = join(body, []any{m})
	}
	return body, nil
}

// bring makes a ticket say what t says, its mark with the last request that changes anything.
func (d *Desk) bring(ctx context.Context, i *item, t ticket.Ticket) error {
	m := ticket.FindMark(i.text, t.Key)
	if m.Revision >= t.Revision {
		return nil
	}
	state, err := d.state(ctx, i, t.Status)
	if err != nil {
		return err
	}
	p := d.filled(t, t.Mark())
	p["id"], p["revision"], p["state"] = i.id, i.revision, state
	p["event"] = cmp.Or(d.Preset.Events[state], state)
	u := d.Preset.Update
	body, told := u.Body, m.Told(t)
	if p["priority"] != "" {
		body = join(body, u.Prioritised)
	}
	if state != i.state {
		body = join(body, u.Moved)
	}
	if told && d.Preset.Comments != nil {
		if err := d.comment(ctx, p, t); err != nil {
			return err
		}
	} else if told {
		body = join(body, u.Noted)
	}
	if body, err = p.body(body); err != nil {
		return &delivery.Refusal{Detail: "the ticket cannot be written: " + err.Error()}
	}
	var into any = new(any)
	if u.Silent {
		into = nil
	}
	if err := d.call(ctx, u.request, p, body, into); err != nil {
		return err
	}
	return d.moved(ctx, i, state)
}

// moved looks whether a ticket went where it was sent: there are systems that say nothing when it may not.
func (d *Desk) moved(ctx context.Context, was *item, state string) error {
	if state == was.state {
		return nil
	}
	now, err := d.read(ctx, was.id)
	if err != nil || now.state == state {
		return err
	}
	detail := fmt.Sprintf("ticket %s stays in state %s, and does not go to %s", was.id, now.state, state)
	if now.ways != nil {
		detail += "; it may go to " + strings.Join(now.ways, ", ")
	}
	return &delivery.Refusal{Detail: detail}
}

// state is what a ticket should be in: what it is in, where nothing is said of it.
func (d *Desk) state(ctx context.Context, i *item, status string) (string, error) {
	if s := cmp.Or(d.States[status], d.Preset.States[status]); s != "" {
		return s, nil
	}
	k := d.Preset.Kinds
	if k == nil || len(k.Of[status]) == 0 {
		return i.state, nil
	}
	var out any
	if err := d.call(ctx, request{Get: k.Get}, d.places("id", i.id), nil, &out); err != nil {
		return "", err
	}
	all, ok := k.Items.in(out).([]any)
	if !ok {
		return "", d.strange()
	}
	var names []string
	for _, kind := range k.Of[status] {
		first := ""
		for _, x := range all {
			name := k.Name.text(x)
			names = append(names, name)
			if k.Kind.text(x) != kind || name == "" {
				continue
			}
			if name == i.state { // it may stay
				return name, nil
			}
			first = cmp.Or(first, name)
		}
		if first != "" {
			return first, nil
		}
	}
	slices.Sort(names)
	return "", &delivery.Refusal{Detail: fmt.Sprintf("no state stands for %s; there are %s: name one in states", status, strings.Join(slices.Compact(names), ", "))}
}

// comment says what has changed, unless an attempt before has said it.
func (d *Desk) comment(ctx context.Context, p places, t ticket.Ticket) error {
	c := d.Preset.Comments
	var out any
	if err := d.call(ctx, request{Get: c.Get}, p, nil, &out); err != nil {
		return err
	}
	all, ok := c.Items.in(out).([]any)
	if !ok {
		return d.strange()
	}
	for _, x := range all {
		if t.Mark().Noted(c.Text.text(x)) {
			return nil
		}
	}
	body, err := p.body(c.Body)
	if err != nil {
		return &delivery.Refusal{Detail: "the comment cannot be written: " + err.Error()}
	}
	return d.call(ctx, request{Post: c.Post}, p, body, &out)
}

// places are those that every request has, and pairs of a name and a value.
func (d *Desk) places(pairs ...string) places {
	p := places{"url": cmp.Or(d.URL, d.Preset.URL)}
	maps.Copy(p, d.Settings)
	for n := 0; n < len(pairs); n += 2 {
		p[pairs[n]] = pairs[n+1]
	}
	return p
}

// filled are the places of what a ticket says, in every form that a system may want.
func (d *Desk) filled(t ticket.Ticket, m ticket.Mark) places {
	text, back := ticket.Cut(t.Text, d.Preset.Text), ""
	if t.URL != "" {
		back = "\n\nMuster: " + t.URL
	}
	priority := func(of string) string {
		if d.NoPriority {
			return ""
		}
		return cmp.Or(d.Priorities[of], d.Preset.Priorities[of])
	}
	p := d.places(
		"key", t.Key, "title", t.Heading(d.Preset.Title), "mark", m.String(), "priority", priority(t.Priority), "markdown", outbound.Fenced(text)+back,
		"html", paragraphs(text)+paragraphs(strings.TrimSpace(back)), "htmlnote", paragraphs(t.Note), "pre", pre(text)+back, "note", t.Note,
	)
	var others []string
	for _, of := range []string{"P1", "P2", "P3", "P4", "P5"} {
		if o := priority(of); o != p["priority"] && o != "" && !slices.Contains(others, o) {
			others = append(others, o)
		}
	}
	p["others"] = strings.Join(others, ",")
	return p
}

// paragraphs is foreign text as HTML.
func paragraphs(text string) string {
	if text == "" {
		return ""
	}
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}

// pre is foreign text where Textile and Markdown both leave alone what stands in it.
func pre(text string) string {
	return "<pre>\n" + strings.ReplaceAll(text, "</", "< /") + "\n</pre>"
}

func (d *Desk) strange() error {
	return &delivery.Unavailable{Detail: "the answer is not what the API of " + d.Preset.Name + " says"}
}

func (d *Desk) call(ctx context.Context, r request, p places, body, into any) error {
	path, err := p.path(r.path())
	if err != nil {
		return &delivery.Refusal{Detail: "no request can be made: " + err.Error()}
	}
	if body == nil && r.Body != nil {
		if body, err = p.body(r.Body); err != nil {
			return &delivery.Refusal{Detail: "no request can be made: " + err.Error()}
		}
	}
	basic := base64.StdEncoding.EncodeToString([]byte(":" + d.Secret))
	api := outbound.API{
		Name: d.Preset.Name, Guard: d.Guard, Timeout: d.Timeout, URL: cmp.Or(d.URL, d.Preset.URL), Secrets: []string{d.Secret, basic},
		Header: map[string]string{},
	}
	for name, value := range d.Preset.Header {
		if api.Header[name], err = (places{"secret": d.Secret, "basic": basic}).text(value); err != nil {
			return &delivery.Refusal{Detail: "no request can be made: " + err.Error()}
		}
	}
	if r.Type != "" {
		api.Header["Content-Type"] = r.Type
	}
	return api.Call(ctx, r.method(), path, body, into)
}
