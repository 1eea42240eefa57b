package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// A Command is something that a person asks of a review. Check refuses what cannot be done and changes nothing; Apply does what
// Check allows. What Apply refuses stands in the timeline.
type Command interface {
	Check(r *Review, by timeline.Actor) error
	Apply(r *Review, by timeline.Actor, now time.Time) error
}

// The commands.
type (
	// Write writes a section, in place of what stood there; without text it takes the section out.
	Write struct {
		Section Key    `json:"section"`
		Text    string `json:"text,omitempty"`
	}
	// AddFactor adds a contributing factor.
	AddFactor struct {
		Kind FactorKind `json:"kind"`
		Text string     `json:"text"`
	}
	// RemoveFactor takes one out.
	RemoveFactor struct {
		Number int `json:"number"`
	}
	// SetPattern says by what the next responder recognises the same again, and what helps.
	SetPattern struct {
		Symptom string `json:"symptom"`
		Cause   string `json:"cause"`
		Remedy  string `json:"remedy"`
	}
	// Invite asks the engineer of a vendor to take part.
	Invite struct {
		Vendor string `json:"vendor"` // ID
		Name   string `json:"name"`   // of the engineer
		Note   string `json:"note,omitempty"`
	}
	// Submit says that the draft is whole, and asks somebody else to approve it.
	Submit struct{}
	// HoldMeeting says that the review meeting was held.
	HoldMeeting struct {
		At      time.Time `json:"at,omitzero"` // zero: now
		Who     []string  `json:"who"`
		Minutes string    `json:"minutes"`
	}
	// WriteText writes what a customer gets to read.
	WriteText struct {
		Customer string `json:"customer"` // ID
		Text     Prose  `json:"text"`
	}
	// Approve says that a text may be published as it is.
	Approve struct {
		Audience string `json:"audience"` // "internal", or the ID of a customer
		SHA256   string `json:"sha256"`
		Sides    []Side `json:"sides"` // filled in by the API from the roles of whoever approves
	}
	// Reject says that it may not.
	Reject struct {
		Audience string `json:"audience"`
		SHA256   string `json:"sha256"`
		Reason   string `json:"reason"`
	}
	// PublishText publishes a text that was approved.
	PublishText struct {
		Audience string `json:"audience"`
		SHA256   string `json:"sha256"`
	}
	// AddAction records an action item that was opened.
	AddAction struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
	// Close ends the review.
	Close struct {
		Text    string `json:"text"`
		Without string `json:"without,omitempty"` // why its internal text is not published
	}
)

// Check refuses a section that there is not.
func (c Write) Check(r *Review, _ timeline.Actor) error {
	switch {
	case !slices.Contains(Keys(), c.Section):
		return r.refuse("write into", "section %q: want %s", c.Section, listed(Keys()))
	case c.Text == "" && r.Section(c.Section) == "":
		return r.refuse("write into", "text: missing")
	}
	return r.wantRoom("write into", "text", c.Text, c.Text != "")
}

// Apply replaces the section.
func (c Write) Apply(r *Review, by timeline.Actor, now time.Time) error {
	r.Sections = slices.DeleteFunc(r.Sections, func(s Section) bool { return s.Key == c.Section })
	if c.Text != "" {
		r.Sections = append(r.Sections, Section{c.Section, c.Text, by, now})
	}
	r.record(now, timeline.ReviewWritten, by, timeline.F("section", string(c.Section)), timeline.F("text", c.Text))
	r.changed(now)
	return nil
}

// Check refuses a kind that there is not.
func (c AddFactor) Check(r *Review, _ timeline.Actor) error {
	const action = "add a factor to"
	switch {
	case !slices.Contains(FactorKinds(), c.Kind):
		return r.refuse(action, "kind %q: want %s", c.Kind, listed(FactorKinds()))
	case len(r.Factors) >= maxFactors:
		return r.refuse(action, "it has %d: take one out first", maxFactors)
	}
	return r.wantRoom(action, "text", c.Text, true)
}

// Apply adds it.
func (c AddFactor) Apply(r *Review, by timeline.Actor, now time.Time) error {
	r.Factored++
	r.Factors = append(r.Factors, Factor{r.Factored, c.Kind, c.Text, by, now})
	r.record(now, timeline.FactorAdded, by, timeline.F("number", fmt.Sprint(r.Factored)), timeline.F("kind", string(c.Kind)), timeline.F("text", c.Text))
	r.changed(now)
	return nil
}

// Check refuses one that there is not.
func (c RemoveFactor) Check(r *Review, _ timeline.Actor) error {
	if r.factor(c.Number) < 0 {
		return r.refuse("remove a factor from", "number %d: no such factor", c.Number)
	}
	return r.wantOpen("remove a factor from")
}

// Apply takes it out.
func (c RemoveFactor) Apply(r *Review, by timeline.Actor, now time.Time) error {
	n := r.factor(c.Number)
	r.record(now, timeline.FactorRemoved, by, timeline.F("number", fmt.Sprint(c.Number)), timeline.F("text", r.Factors[n].Text))
	r.Factors = slices.Delete(r.Factors, n, n+1)
	r.changed(now)
	return nil
}

func (r *Review) factor(number int) int {
	return slices.IndexFunc(r.Factors, func(f Factor) bool { return f.Number == number })
}

// Check wants all three parts.
func (c SetPattern) Check(r *Review, _ timeline.Actor) error {
	for _, part := range []struct{ name, text string }{{"symptom", c.Symptom}, {"cause", c.Cause}, {"remedy", c.Remedy}} {
		if err := r.wantRoom("set the pattern of", part.name, part.text, true); err != nil {
			return err
		}
	}
	return nil
}

// Apply replaces it.
func (c SetPattern) Apply(r *Review, by timeline.Actor, now time.Time) error {
	r.Pattern = &Pattern{c.Symptom, c.Cause, c.Remedy, by, now}
	r.record(now, timeline.PatternSet, by, timeline.F("symptom", c.Symptom), timeline.F("cause", c.Cause), timeline.F("remedy", c.Remedy))
	r.changed(now)
	return nil
}

// Check wants to know whom.
func (c Invite) Check(r *Review, _ timeline.Actor) error {
	const action = "invite to"
	switch {
	case c.Vendor == "" || len(c.Vendor) > 100:
		return r.refuse(action, "vendor %q: want the ID of one", clip(c.Vendor))
	case strings.TrimSpace(c.Name) == "" || len(c.Name) > 200:
		return r.refuse(action, "name: missing, or longer than 200 bytes")
	case len(r.Invited) >= maxInvited:
		return r.refuse(action, "%d are invited already", maxInvited)
	}
	return r.wantRoom(action, "note", c.Note, false)
}

// Apply tells the vendor.
func (c Invite) Apply(r *Review, by timeline.Actor, now time.Time) error {
	r.Invited = append(r.Invited, Invitation{c.Vendor, c.Name, c.Note, by, now})
	r.record(now, timeline.EngineerInvited, by, timeline.F("vendor", c.Vendor), timeline.F("person", c.Name), timeline.F("note", c.Note))
	t := Telling{About: Invited, Name: c.Name, Text: c.Note, Targets: []escalation.Target{{Kind: escalation.Vendor, ID: c.Vendor}}}
	for _, d := range r.Deadlines {
		if d.Stage == Meet && d.Done.IsZero() {
			t.Due = d.Due
		}
	}
	r.tell(t)
	return nil
}

// Check wants the impact, an answer to each of the four questions, at least one contributing factor, and something that is not
// submitted yet: whoever submitted it once more would be its author, and may have approved it.
func (c Submit) Check(r *Review, _ timeline.Actor) error {
	if err := r.wantOpen("submit"); err != nil {
		return err
	}
	if t := r.Text(Internal); t.SHA256 == r.digest() {
		return r.refuse("submit", "it is submitted since %s by %s, and has not changed", instant(t.Written), t.Author.Shown())
	}
	var lacks []string
	for _, k := range Wanted() {
		if r.Section(k) == "" {
			lacks = append(lacks, string(k))
		}
	}
	if len(r.Factors) == 0 {
		lacks = append(lacks, "a contributing factor")
	}
	if r.Pattern == nil && r.Rules != nil && r.Rules.Edition > 0 { // else what is published first is void once it comes
		lacks = append(lacks, "the pattern")
	}
	if len(lacks) > 0 {
		return r.refuse("submit", "missing: %s", strings.Join(lacks, ", "))
	}
	return nil
}

// Apply makes it the internal text that somebody else has to approve.
func (c Submit) Apply(r *Review, by timeline.Actor, now time.Time) error {
	t := r.Text(Internal)
	r.put(t, r.digest(), by, now)
	t.Authors = r.writers(t.Authors)
	r.record(now, timeline.DraftSubmitted, by, timeline.F("sha256", t.SHA256))
	r.done(Draft, now)
	return nil
}

// writers adds to the authors of the internal text everybody who has written something of it as it stands.
func (r *Review) writers(all []string) []string {
	add := func(by timeline.Actor) {
		if !slices.Contains(all, by.ID) {
			all = append(all, by.ID)
		}
	}
	for _, s := range r.Sections {
		add(s.By)
	}
	for _, f := range r.Factors {
		add(f.By)
	}
	if r.Pattern != nil {
		add(r.Pattern.By)
	}
	return all
}

// Check wants a draft that was submitted, somebody who was there, and minutes.
func (c HoldMeeting) Check(r *Review, _ timeline.Actor) error {
	const action = "record the meeting of"
	bad := func(name string) bool { return strings.TrimSpace(name) == "" || len(name) > 200 }
	switch {
	case r.Text(Internal) == nil || r.Text(Internal).SHA256 == "":
		return r.refuse(action, "its draft is not submitted")
	case len(c.Who) == 0 || len(c.Who) > maxAttendees || slices.ContainsFunc(c.Who, bad):
		return r.refuse(action, "who: want the names of those who were there, 1 to %d, each of 200 bytes at most", maxAttendees)
	case c.At.Before(r.Facts.Times.Resolved) && !c.At.IsZero():
		return r.refuse(action, "at %s: it was before the incident was resolved", instant(c.At))
	}
	return r.wantRoom(action, "minutes", c.Minutes, true)
}

// Apply records it.
func (c HoldMeeting) Apply(r *Review, by timeline.Actor, now time.Time) error {
	if c.At.IsZero() {
		c.At = now
	}
	if c.At.After(now.Add(fast)) {
		return r.refuse("record the meeting of", "at %s: it is still to come", instant(c.At))
	}
	r.Meeting = &Meeting{c.At, c.Who, c.Minutes, by}
	r.record(now, timeline.MeetingHeld, by, timeline.F("at", instant(c.At)), timeline.F("who", strings.Join(c.Who, ", ")), timeline.F("minutes", c.Minutes))
	r.done(Meet, now)
	return nil
}

// fast is by how much the clocks of two machines may differ.
const fast = 5 * time.Minute

// Check refuses the engine's draft as it is: what the customer reads is written by a person.
func (c WriteText) Check(r *Review, _ timeline.Actor) error {
	const action = "write the customer text of"
	if err := r.wantSpace(action); err != nil {
		return err
	}
	switch t := r.Text(c.Customer); {
	case t == nil || c.Customer == Internal:
		return r.refuse(action, "customer %q: the incident has not touched it", clip(c.Customer))
	case strings.TrimSpace(string(c.Text)) == "":
		return r.refuse(action, "text: missing")
	case len(c.Text) > MaxBody:
		return r.refuse(action, "text: %d bytes; want %d at most", len(c.Text), MaxBody)
	case own(string(c.Text), t.Draft) < leastOwn:
		return r.refuse(action, "text: it is the draft of the engine; want at least %d characters of your own, outside headings", leastOwn)
	case t.SHA256 == SHA256(c.Text):
		return r.refuse(action, "text: it is the same already")
	}
	return nil
}

// Apply replaces it, and nobody has approved the new one.
func (c WriteText) Apply(r *Review, by timeline.Actor, now time.Time) error {
	t := r.Text(c.Customer)
	r.put(t, SHA256(c.Text), by, now)
	t.Body = c.Text
	r.record(now, timeline.TextWritten, by, timeline.F("customer", t.Name), timeline.F("sha256", t.SHA256))
	return nil
}

// put makes something else the text: what was approved is void.
func (r *Review) put(t *Text, sha256 string, by timeline.Actor, now time.Time) {
	if sha256 != t.SHA256 {
		r.void(t, "changed", now)
	}
	t.SHA256, t.Author, t.Written = sha256, by, now
	if t.Audience == Internal {
		t.Authors = nil
	}
	if !slices.Contains(t.Authors, by.ID) {
		t.Authors = append(t.Authors, by.ID)
	}
}

// void takes back what was said of a text and that it is published.
func (r *Review) void(t *Text, cause string, now time.Time) {
	if len(t.Votes) > 0 || !t.Published.IsZero() {
		r.record(now, timeline.ApprovalsVoid, timeline.Muster(), timeline.F("customer", t.Name), timeline.F("cause", cause))
	}
	if !t.Published.IsZero() { // it has to be published once more
		for n := range r.Deadlines {
			if d := &r.Deadlines[n]; d.Stage == Publish {
				d.Done = time.Time{}
			}
		}
	}
	t.Votes, t.Published, t.PublishedBy = nil, time.Time{}, timeline.Actor{}
}

// changed voids what was said of the review as it was.
func (r *Review) changed(now time.Time) {
	if t := r.Text(Internal); t != nil && t.SHA256 != "" && t.SHA256 != r.digest() {
		r.void(t, "changed", now)
		t.SHA256 = "" // it has to be submitted anew
	}
}

// Check refuses a text that there is not, and one that was rejected.
func (c Approve) Check(r *Review, by timeline.Actor) error {
	t, err := r.votes("approve", c.Audience, by)
	if err != nil {
		return err
	}
	if len(c.Sides) == 0 {
		return r.refuse("approve", "sides: %s speaks for none", by.Shown())
	}
	if t.Rejected() {
		return r.refuse("approve", "%s: it was rejected, and has to be written anew", t.shown())
	}
	return nil
}

// Apply counts it, unless somebody approves what they have written themselves, or something else than what is there now.
func (c Approve) Apply(r *Review, by timeline.Actor, now time.Time) error {
	t := r.Text(c.Audience)
	if err := r.separate("approve", t, c.SHA256, by, now); err != nil {
		return err
	}
	t.Votes = append(t.Votes, Vote{By: by, Sides: c.Sides, Yes: true, At: now})
	r.record(now, timeline.TextApproved, by, timeline.F("customer", t.Name), timeline.F("sha256", t.SHA256))
	return nil
}

// Check refuses a text that there is not, and a rejection without a reason.
func (c Reject) Check(r *Review, by timeline.Actor) error {
	if _, err := r.votes("reject", c.Audience, by); err != nil {
		return err
	}
	return r.wantRoom("reject", "reason", c.Reason, true)
}

// Apply counts it: nothing is published that somebody has rejected.
func (c Reject) Apply(r *Review, by timeline.Actor, now time.Time) error {
	t := r.Text(c.Audience)
	if err := r.separate("reject", t, c.SHA256, by, now); err != nil {
		return err
	}
	t.Votes = append(t.Votes, Vote{By: by, Reason: c.Reason, At: now})
	r.record(now, timeline.TextRejected, by, timeline.F("customer", t.Name), timeline.F("reason", c.Reason), timeline.F("sha256", t.SHA256))
	return nil
}

// votes refuses a vote where there is nothing to vote on, and a second one.
func (r *Review) votes(action, audience string, by timeline.Actor) (*Text, error) {
	t := r.Text(audience)
	switch {
	case r.Status != Open:
		return nil, r.wantOpen(action)
	case t == nil:
		return nil, r.refuse(action, "audience %q: want %s", clip(audience), r.audiences())
	case t.SHA256 == "":
		return nil, r.refuse(action, "%s: it is not written yet", t.shown())
	case !t.Published.IsZero():
		return nil, r.refuse(action, "%s: it is published since %s", t.shown(), instant(t.Published))
	case slices.ContainsFunc(t.Votes, func(v Vote) bool { return v.By.ID == by.ID }):
		return nil, r.refuse(action, "%s: %s has %s it already", t.shown(), by.Shown(), t.voted(by))
	case r.Refusals >= maxRefusals && slices.Contains(t.Authors, by.ID):
		return nil, r.own(action, t, by)
	}
	return t, nil
}

// voted is what somebody has said of the text.
func (t *Text) voted(by timeline.Actor) string {
	if slices.ContainsFunc(t.Votes, func(v Vote) bool { return v.By.ID == by.ID && !v.Yes }) {
		return "rejected"
	}
	return "approved"
}

// Why somebody was refused. These strings are in histories: add, never rename.
const (
	noPerson   = "no-person"
	wroteIt    = "wrote-it"
	hasChanged = "changed"
	isRejected = "rejected"
	noApproval = "unapproved"
)

// Whys lists why somebody was refused: also for the want of a side.
func Whys() []string {
	return []string{noPerson, wroteIt, hasChanged, isRejected, noApproval, wants(TechnicalSide), wants(OtherSide), wants(TechnicalSide, OtherSide)}
}

// wants says that an approval is wanted of a side, or of one of two.
func wants(sides ...Side) string {
	said := "wants"
	for _, s := range sides {
		said += "-" + string(s)
	}
	return said
}

// separate refuses the vote of a machine, of an author, and on something else, and says so in the timeline.
func (r *Review) separate(action string, t *Text, sha256 string, by timeline.Actor, now time.Time) (err error) {
	why := ""
	switch {
	case by.Kind != timeline.Person:
		why, err = noPerson, r.refuse(action, "want a person")
	case slices.Contains(t.Authors, by.ID):
		why, err = wroteIt, r.own(action, t, by)
	case sha256 != t.SHA256:
		why, err = hasChanged, r.refuse(action, "%s: sha256 %s: it has changed; read it again", t.shown(), clip(sha256))
	default:
		return nil
	}
	return r.refused(action, t, why, err, by, now)
}

func (r *Review) refused(action string, t *Text, why string, err error, by timeline.Actor, now time.Time) error {
	if r.Refusals < maxRefusals {
		r.Refusals++
		reason := timeline.F("detail", err.Error())
		if r.Rules != nil && r.Rules.Edition > 0 {
			reason = timeline.F("why", why)
		}
		r.Timeline.Repeat(now, timeline.ReviewRefused, by, timeline.F("action", action), timeline.F("audience", t.shown()), reason)
	}
	return err
}

func (r *Review) own(action string, t *Text, by timeline.Actor) error {
	return r.refuse(action, "%s: %s has written it: want another person", t.shown(), by.Shown())
}

// Check refuses a text that there is not.
func (c PublishText) Check(r *Review, _ timeline.Actor) error {
	t := r.Text(c.Audience)
	switch {
	case r.Status != Open:
		return r.wantOpen("publish")
	case t == nil:
		return r.refuse("publish", "audience %q: want %s", clip(c.Audience), r.audiences())
	case t.SHA256 == "":
		return r.refuse("publish", "%s: it is not written yet", t.shown())
	case !t.Published.IsZero():
		return r.refuse("publish", "%s: it is published since %s", t.shown(), instant(t.Published))
	}
	return nil
}

// Apply publishes it, unless a machine asks for it, or it is not approved as it is.
func (c PublishText) Apply(r *Review, by timeline.Actor, now time.Time) error {
	t := r.Text(c.Audience)
	var (
		why string
		err error
	)
	switch lacks := t.Lacks(); {
	case by.Kind != timeline.Person:
		why, err = noPerson, r.refuse("publish", "want a person")
	case c.SHA256 != t.SHA256:
		why, err = hasChanged, r.refuse("publish", "%s: sha256 %s: it has changed; read it again", t.shown(), clip(c.SHA256))
	case t.Rejected():
		why, err = isRejected, r.refuse("publish", "%s: it was rejected, and has to be written anew", t.shown())
	case t.Audience == Internal && len(lacks) > 0:
		why, err = noApproval, r.refuse("publish", "%s: nobody has approved it", t.shown())
	case len(lacks) > 0:
		why, err = wants(lacks...), r.refuse("publish", "%s: want the approval of a %s person", t.shown(), listed(lacks))
	}
	if err != nil {
		return r.refused("publish", t, why, err, by, now)
	}
	t.Published, t.PublishedBy = now, by
	r.record(now, timeline.TextPublished, by, timeline.F("customer", t.Name), timeline.F("sha256", t.SHA256))
	if t.Audience == Internal {
		r.tell(Telling{About: Shared, Targets: r.responders()})
	} else {
		r.tell(Telling{About: Published, Customer: t.Audience, Name: t.Name, Text: string(t.Body)})
	}
	if !slices.ContainsFunc(r.Texts, func(x Text) bool { return x.Waits() || x.Audience == Internal && x.Published.IsZero() }) {
		r.done(Publish, now)
	}
	return nil
}

// responders are who has acknowledged the incident, and who owns the review.
func (r *Review) responders() []escalation.Target {
	to := slices.Clone(r.Rules.Owner)
	if r.Facts.Record != nil {
		for _, a := range r.Facts.Record.Answered {
			to = append(to, escalation.Target{Kind: escalation.Person, ID: a.ID})
		}
	}
	return to
}

// Check refuses an action item that stands there already.
func (c AddAction) Check(r *Review, _ timeline.Actor) error {
	const action = "add an action item to"
	switch {
	case c.ID == "" || len(c.ID) > 100:
		return r.refuse(action, "id: missing, or longer than 100 bytes")
	case len(r.Actions) >= maxActions:
		return r.refuse(action, "it has %d", maxActions)
	case slices.ContainsFunc(r.Actions, func(a Action) bool { return a.ID == c.ID }):
		return r.refuse(action, "%s: it stands there already", c.ID)
	}
	return r.wantRoom(action, "title", c.Title, true)
}

// Apply records it.
func (c AddAction) Apply(r *Review, by timeline.Actor, now time.Time) error {
	r.Actions = append(r.Actions, Action{c.ID, c.Title, by, now})
	r.record(now, timeline.ActionAdded, by, timeline.F("action", c.ID), timeline.F("title", c.Title))
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(r *Review, _ timeline.Actor) error {
	return r.wantRoom("note", "text", c.Text, true)
}

// Apply writes the note.
func (c Note) Apply(r *Review, by timeline.Actor, now time.Time) error {
	r.record(now, timeline.Noted, by, timeline.F("text", c.Text))
	return nil
}

// Check wants the pattern, the internal text published or a reason why not, and no text that still waits for somebody.
func (c Close) Check(r *Review, _ timeline.Actor) error {
	if err := r.wantOpen("close"); err != nil {
		return err
	}
	if err := r.wantText("close", "text", c.Text, true); err != nil {
		return err
	}
	if r.Rules == nil { // from before there were stages
		return nil
	}
	if r.Pattern == nil {
		return r.refuse("close", "pattern: missing; whoever responds next has to know it")
	}
	for n := range r.Texts {
		if t := &r.Texts[n]; t.Waits() && (t.Audience != Internal || c.Without == "") {
			return r.refuse("close", "%s: it waits to be published or rejected", t.shown())
		}
	}
	if t := r.Text(Internal); t.Published.IsZero() {
		if strings.TrimSpace(c.Without) == "" {
			return r.refuse("close", "without: missing; its internal text is not published, so say why")
		}
		return r.wantText("close", "without", c.Without, true)
	}
	return nil
}

// Apply ends it.
func (c Close) Apply(r *Review, by timeline.Actor, now time.Time) error {
	if t := r.Text(Internal); t != nil && t.Published.IsZero() {
		r.Without = c.Without
	}
	r.Status, r.ClosedBy, r.Ended = Closed, by, now
	r.done(Finish, now)
	r.record(now, timeline.ReviewClosed, by, timeline.F("note", c.Text), timeline.F("without", r.Without))
	return nil
}

// A Drafted is the engine's draft of the text for a customer.
type Drafted struct {
	Customer string `json:"customer"` // ID
	Language string `json:"language"`
	Text     string `json:"text"`
}

// Drafted takes in what the engine has drafted in a round. With a detail nobody has.
func (r *Review) Drafted(round int, all []Drafted, detail string, now time.Time) {
	if round != r.Extended {
		return
	}
	if detail != "" {
		r.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(WriteDrafts)), timeline.F("detail", detail))
	}
	for _, d := range all {
		if t := r.Text(d.Customer); t != nil {
			t.Language, t.Draft = d.Language, d.Text
			r.record(now, timeline.TextDrafted, timeline.Muster(), timeline.F("customer", t.Name), timeline.F("language", d.Language))
		}
	}
}

// shown is how a text is called.
func (t *Text) shown() string {
	if t.Name != "" {
		return t.Name
	}
	return t.Audience
}

func (r *Review) audiences() string {
	var all []string
	for _, t := range r.Texts {
		all = append(all, t.Audience)
	}
	return strings.Join(all, " or ")
}

// wantOpen refuses what comes after the end, and tells the loser of a race who has ended it.
func (r *Review) wantOpen(action string) error {
	if r.Status == Open {
		return nil
	}
	return r.refuse(action, "it is closed since %s by %s", instant(r.Ended), r.ClosedBy.Shown())
}

// wantSpace refuses what comes after the end, and for which the timeline has no room.
func (r *Review) wantSpace(action string) error {
	if r.Status == Open && r.Timeline.Bytes > maxTimeline {
		return r.refuse(action, "its timeline is full")
	}
	return r.wantOpen(action)
}

// wantRoom is wantSpace for a text.
func (r *Review) wantRoom(action, name, text string, required bool) error {
	if err := r.wantSpace(action); err != nil {
		return err
	}
	return r.wantText(action, name, text, required)
}

func (r *Review) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return r.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return r.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (r *Review) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s review %s: %s", action, r.Facts.Incident, fmt.Sprintf(format, args...))
}

func listed[T ~string](all []T) string {
	words := make([]string, len(all))
	for n, x := range all {
		words[n] = string(x)
	}
	return strings.Join(words, " or ")
}

// clip shortens what somebody sent, for an error.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
