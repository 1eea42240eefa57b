package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"muster/internal/alert"
)

// Every change to a workflow that has run anywhere gets a change id here, with the date, the reason and the query that
// shows that no old run is left. The histories in testdata/histories are replayed by every build; CONTRIBUTING.md
// says how a workflow that has run is changed.

// signedActors, 2026-11-25: runs take only what the installation has signed. A start without a seal is either from before
// that day, and its run goes on as it began, or from somebody who may not start runs. The state that a run hands to the next
// is sealed too, whatever that run takes, so an old chain goes on. Serve stops before the workers do, and workers end what
// has no first task yet: a start that no worker has seen is taken for a forgery. No old run is left when
//
//	WorkflowType IN ('Incident', 'Review') AND ExecutionStatus = 'Running' AND StartTime < '2026-11-25T00:00:00Z'
//
// finds none, and none of the states that run has "signed" unset; then the branches of runs that are not signed can go, with
// the histories that need them.
const signedActors = "signed-actors"

// SignedSince is the day since which runs are sealed: whoever reads them takes one without a seal only from before. The state
// that an old chain hands on is sealed too.
func SignedSince() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }

// wantsSignatures tells whether a run that was started without a seal is a new one. It is asked of no other, so that what
// is signed costs no event.
func wantsSignatures(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, signedActors, workflow.DefaultVersion, 1) == 1
}

// sealedState, 2026-11-25: the state that a run hands on is sealed also by runs that take what is not signed, for the next one
// takes no other. It goes with the branches of signedActors.
const sealedState = "sealed-state"

func sealsState(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, sealedState, workflow.DefaultVersion, 1) == 1
}

// alertTimeOuts, 2026-11-26: alerts of sources that say only that an alert still fires count as resolved unless they come again, and
// of those that say of its end no more than that, what they said before stands. Batches from before have neither, and a run that has
// had one while it did not know of them goes on without. No old run is left when
//
//	WorkflowType IN ('Incident', 'Silence') AND ExecutionStatus = 'Running' AND StartTime < '2026-11-27T00:00:00Z'
//
// finds none; then the branch that ignores them can go, with its histories.
const alertTimeOuts = "alert-time-outs"

func knowsTimeOuts(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, alertTimeOuts, workflow.DefaultVersion, 1) == 1
}

// readable is a batch as the run reads it. Of a batch that every run can read it asks nothing, so that it costs no event.
func readable(ctx workflow.Context, b alert.Batch) alert.Batch {
	if (b.TimesOut() || b.Bare()) && !knowsTimeOuts(ctx) {
		return b.Plain()
	}
	return b
}

// ticketTold, 2026-11-27: what is done to its ticket in its own system reaches an incident by a signal. A run that has had one while its
// worker did not know of them goes on without. No old run is left when
//
//	WorkflowType = 'Incident' AND ExecutionStatus = 'Running' AND StartTime < '2026-11-28T00:00:00Z'
//
// finds none.
const ticketTold = "ticket-told"

func hearsTickets(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, ticketTold, workflow.DefaultVersion, 1) == 1
}

// lettingAbreast, 2026-11-27: what a silence of an environment has held goes to its incidents each by itself, so that one that cannot be
// reached keeps no other waiting. A run that has begun to let go one after the other goes on so. No old run is left when
//
//	WorkflowType = 'Silence' AND ExecutionStatus = 'Running' AND StartTime < '2026-11-28T00:00:00Z'
//
// finds none; then letInTurn can go, with its histories.
const lettingAbreast = "letting-abreast"

func letsAbreast(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, lettingAbreast, workflow.DefaultVersion, 1) == 1
}

// silenceGoesOn, 2026-11-27: a silence of an environment whose history has grown goes on in a new run, for Temporal ends what grows for ever, and
// what it has held with it. A run that was long before goes on as it did. No old run is left when
//
//	WorkflowType = 'Silence' AND ExecutionStatus = 'Running' AND StartTime < '2026-11-28T00:00:00Z'
//
// finds none.
const silenceGoesOn = "silence-goes-on"

func goesOn(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, silenceGoesOn, workflow.DefaultVersion, 1) == 1
}

// automaticResponse, 2026-11-27: Muster does something about an incident by itself. A worker that does not know of that must not go on with
// such a run: it would page instead, and the next one would begin what has no place in the history. Of other runs nothing is asked. No such
// run is left when
//
//	WorkflowType = 'Incident' AND ExecutionStatus = 'Running' AND StartTime < '2026-11-28T00:00:00Z'
//
// finds none that a worker of before has had.
const automaticResponse = "automatic-response"

func respondsItself(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, automaticResponse, workflow.DefaultVersion, 1) == 1
}

// composeAnywhere, 2026-11-27: what a worker cannot compose within its workflow task is composed by whichever worker comes first. An older
// program ignores what a newer one has pinned for that, and goes on by itself. No old run is left when
//
//	WorkflowType = 'Incident' AND ExecutionStatus = 'Running' AND StartTime < '2026-11-28T00:00:00Z'
//
// finds none; then the branch that waits for the same worker can go.
const composeAnywhere = "compose-anywhere"

// composesAnywhere is asked when composing has failed once, so that it costs no event otherwise.
func composesAnywhere(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, composeAnywhere, workflow.DefaultVersion, 1) == 1
}
