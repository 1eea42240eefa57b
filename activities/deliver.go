package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/reach"
)

// A Sender makes one attempt to hand one message to one contact. A *delivery.Refusal is final; every other error is worth
// another attempt.
type Sender interface {
	Send(ctx context.Context, e delivery.Envelope) error
}

// A Follower is a Sender where what has arrived can be told later what has become of it: under the ID of the message, as often as
// it takes. What is not there any more is none of its errors.
type Follower interface {
	Follow(ctx context.Context, e delivery.Envelope) error
}

// A Tracker is told of deliveries that are under way, so that one without an outcome is noticed.
type Tracker interface {
	// UnderWay tells that a delivery, scheduled at an instant, is being tried or waits for its next attempt. One of which
	// nothing more is heard by another instant was taken back, or another worker has it.
	UnderWay(id delivery.ID, scheduled, until time.Time)
	// Ended tells that a delivery has its outcome, and how long that took.
	Ended(id delivery.ID, kind delivery.Kind, result delivery.Result, took time.Duration)
	// Tried tells what has come of an attempt to reach somebody by a contact method.
	Tried(w reach.Way, kind delivery.Kind, result reach.Result)
}

// A Linker makes signed links.
type Linker interface {
	// Link returns the URL at which a link is answered, empty when people cannot reach this installation.
	Link(l link.Link) (string, error)
}

// A Bookcase hands out the reports that a Shelf keeps. A *delivery.Refusal is final; every other error is worth another
// attempt.
type Bookcase interface {
	Get(ctx context.Context, name string) ([]byte, error)
}

// Deliveries hands messages to the outside.
type Deliveries struct {
	Directory func() Directory
	Senders   map[delivery.ContactType]Sender
	Reports   Bookcase // nil: this worker has none
	Tracker   Tracker  // nil: nobody is told
	Links     Linker   // nil: messages carry no links
}

// patience is how many attempts a worker leaves to others because its folder is older than what a run has seen. After that, telling
// whoever was there then is better than telling nobody.
const patience = 6

// How long a link in a message can be used: from when its send began, or beyond the time in which there is to be an answer, for
// that begins anew with a question that comes late. Whatever is sent again under one id is the same message.
const (
	linkValid  = 12 * time.Hour
	linkBeyond = 24 * time.Hour
)

// DeliverInput is one delivery. Addresses do not stand here: the method's name is looked up at every attempt.
type DeliverInput struct {
	ID       delivery.ID        `json:"id"`
	To       delivery.Recipient `json:"to"`
	Method   string             `json:"method"`
	Message  delivery.Message   `json:"message"`
	Begun    time.Time          `json:"begun,omitzero"`     // when the send began, in whichever run
	Repeated bool               `json:"repeated,omitempty"` // an earlier run left it without an outcome
	Seen     incident.Folder    `json:"seen,omitzero"`      // the newest folder that the run has had an answer from; none in old runs
}

// Deliver makes one attempt. A refusal is an outcome; everything else is an error that Temporal tries again, not before
// the receiver wants to be asked again.
func (d *Deliveries) Deliver(ctx context.Context, in DeliverInput) (delivery.Outcome, error) {
	info := activity.GetInfo(ctx)
	attempt := int(info.Attempt)
	d.underWay(in, info, info.Deadline)
	offer := in.Message.Offer
	in.Message = d.offered(ctx, in)
	out, came := delivery.Outcome{Result: delivery.Delivered, Attempts: attempt}, reach.Delivered
	attached, err := d.attached(ctx, in.Message.Attachments)
	tells := err == nil // of the contact method: what fails before does not
	if tells {
		out.Followed, tells, err = d.attempt(ctx, in, attempt, offer, attached)
	}
	if refusal, ok := errors.AsType[*delivery.Refusal](err); ok {
		out, came = delivery.Outcome{Result: delivery.Refused, Attempts: attempt, Detail: refusal.Detail, Final: tells}, reach.Failed
	} else if err != nil {
		came = reach.Unknown
	}
	if d.Tracker != nil && tells {
		d.Tracker.Tried(reach.Way{To: in.To.ID, Method: in.Method}, in.Message.Kind, came)
	}
	if came == reach.Unknown {
		d.underWay(in, info, time.Now().Add(pause(err, info.RetryPolicy, attempt)))
		return delivery.Outcome{}, retryable(fmt.Errorf("deliver %s by %s: %w", in.ID, in.Method, err))
	}
	if d.Tracker != nil {
		d.Tracker.Ended(in.ID, in.Message.Kind, out.Result, time.Since(info.ScheduledTime))
	}
	return out, nil
}

// offered is the message with the link that it offers. One whose link cannot be made goes out without, and so does one that
// several people read: a link decides in one person's name.
func (d *Deliveries) offered(ctx context.Context, in DeliverInput) delivery.Message {
	m := in.Message
	if m.Offer == nil || d.Links == nil || in.To.Shared {
		m.Offer = nil
		return m
	}
	expires := in.Begun.Add(cmp.Or(m.Offer.Lasts, linkValid))
	if !m.Offer.Until.IsZero() {
		expires = m.Offer.Until.Add(cmp.Or(m.Offer.Lasts, linkBeyond))
	}
	l := link.Link{
		ID: string(in.ID), Person: in.To.ID, Incident: m.Incident, Part: m.Offer.Part, Actions: m.Offer.Actions, Content: m.Offer.Content,
		Expires: expires,
	}
	if m.Kind == delivery.Plan {
		l.Incident, l.Run = "", m.Incident
	}
	url, err := d.Links.Link(l)
	if err != nil {
		activity.GetLogger(ctx).Error("message goes out without its link", "delivery", in.ID, "error", err)
	}
	if url == "" {
		m.Offer = nil
		return m
	}
	return m.Offered(url)
}

// underWay tells of a delivery, but not of a reminder of a certificate: that one comes days early, and may wait.
func (d *Deliveries) underWay(in DeliverInput, info activity.Info, until time.Time) {
	if d.Tracker != nil && in.Message.Kind != delivery.Certificate {
		d.Tracker.UnderWay(in.ID, info.ScheduledTime, until)
	}
}

// leaves tells why an attempt is left to another worker: the folder of this one is older. How often that was so goes along with the
// activity, for attempts fail for other reasons too.
func leaves(ctx context.Context, dir Directory, seen incident.Folder) error {
	if seen.Revision == "" {
		return nil
	}
	left := 0
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &left); err != nil {
			return nil // nothing of ours: the message goes out
		}
	}
	err := recent(dir, seen, left >= patience)
	if err != nil {
		left++
	}
	if left > 0 {
		activity.RecordHeartbeat(ctx, left)
	}
	return err
}

// attempt makes one attempt, and tells whether a page can be followed up where it has arrived, and whether the attempt says something of
// the contact method.
func (d *Deliveries) attempt(ctx context.Context, in DeliverInput, attempt int, offer *delivery.Offer, attached []delivery.Attached) (followed, tells bool, err error) {
	dir := d.Directory()
	if err := leaves(ctx, dir, in.Seen); err != nil {
		return false, false, &delivery.Unavailable{Detail: err.Error()}
	}
	contact, err := dir.Contact(in.To.ID, in.Method)
	if err != nil {
		// A worker that lags behind the folder, or a secret that is being rotated. If the method is gone for good, the next
		// one is tried when this one has had no outcome for a while.
		return false, true, &delivery.Unavailable{Detail: err.Error()}
	}
	s, ok := d.Senders[contact.Type]
	if !ok {
		return false, true, &delivery.Refusal{Detail: fmt.Sprintf("contact type %q: this worker has no such channel", contact.Type)}
	}
	_, followed = s.(Follower)
	tells = in.Message.Kind.Pages() || !contact.Type.PagesAlone()
	return followed && in.Message.Kind == delivery.Page, tells, s.Send(ctx, delivery.Envelope{
		ID: in.ID, Attempt: attempt, Repeated: in.Repeated || attempt > 1, At: time.Now(), Since: in.Begun,
		Recipient: in.To, Contact: contact, Message: in.Message, Offer: offer, Attached: attached,
	})
}

// attached reads what a message carries. What is not here may be on the shelf of the worker that makes the next attempt;
// what has another content than was promised goes to nobody.
func (d *Deliveries) attached(ctx context.Context, all []delivery.Attachment) ([]delivery.Attached, error) {
	if len(all) > 0 && d.Reports == nil {
		return nil, &delivery.Unavailable{Detail: "attachment " + all[0].Name + ": this worker has no shelf of reports"}
	}
	var out []delivery.Attached
	for _, a := range all {
		content, err := d.Reports.Get(ctx, a.Path)
		if delivery.IsRefusal(err) {
			return nil, err
		}
		if err != nil {
			return nil, &delivery.Unavailable{Detail: fmt.Sprintf("attachment %s: %v", a.Name, err)}
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != a.SHA256 {
			return nil, &delivery.Refusal{Detail: fmt.Sprintf(
				"attachment %s: the content of report %s has changed: its SHA-256 is %x, not %s", a.Name, a.Path, sum, a.SHA256)}
		}
		out = append(out, delivery.Attached{Attachment: a, Content: content})
	}
	return out, nil
}

// retryable carries the receiver's own wish for the next attempt to Temporal.
func retryable(err error) error {
	if after := wish(err); after > 0 {
		return temporal.NewApplicationErrorWithOptions(err.Error(), "Unavailable", temporal.ApplicationErrorOptions{
			NextRetryDelay: after,
		})
	}
	return err
}

// wish is how long a receiver wants to be left alone; 0 when it has not said.
func wish(err error) time.Duration {
	if u, ok := errors.AsType[*delivery.Unavailable](err); ok {
		return max(u.After, 0)
	}
	return 0
}

// pause is how long Temporal waits after a failed attempt: as the receiver wishes, else as the policy says.
func pause(err error, p *temporal.RetryPolicy, attempt int) time.Duration {
	if after := wish(err); after > 0 || p == nil {
		return after
	}
	grown := float64(p.InitialInterval) * math.Pow(p.BackoffCoefficient, float64(attempt-1))
	return time.Duration(min(grown, float64(p.MaximumInterval)))
}
