package report

import "time"

// planView is what the texts of reports on a run of a plan see.
type planView struct {
	Made         time.Time
	Zone         string
	Organisation string
	ID           string
	Name         string `text:"line"` // of the plan
	Description  string `text:"prose"`
	Kind         string `text:"code"`
	Customer     string
	Target       string // environment
	Lead         string // role
	Starter      string

	Status  string `text:"code"`
	Over    bool
	Whole   bool   // completed
	Part    bool   // only what a party beside the provider may see
	Closing bool   // it is complete with this report, its last task
	Reason  string `text:"line"` // for where it stands
	Opened  time.Time
	Ended   time.Time
	Lasted  time.Duration // from start to end, or until the report was made
	Last    time.Time     // the last of the due times that are known

	Tasks, Done, Skipped, Left, Late, Anew int

	SHA256       string // of the plan
	ParametersID string // SHA-256
	Revision     string // of the organisation folder
	Revised      int
	Parameters   []parameter
	Books        []book
	Environments []environment
	Phases       []phase
	Absent       []absent
	Votes        []votingRule
	Rollbacks    []undoing
	Tells        []announcement
	Watches      []watch
	Contacts     []planContact
	Reached      bool     // one of them says how
	Roles        []string // heads of the matrix
	Matrix       []matrixRow

	Deviations  []event
	Cast        []cast
	Delegations []delegation
	Decisions   []decision
	Waivers     []waiver
	Overrides   []override
	Changes     []planChange
	Refusals    []event
	Evidence    []evidence
	Measures    []measure
	Alerts      []keptAlert
	Waves       []wave
	Undone      []undone
	Stays       []stay
	Actions     []actionItem
	Timeline    []event
	Missing     int // entries of the timeline that the report was not given
	Cut         int // rows that are too many
}

type parameter struct {
	ID      string
	Name    string    `text:"line"`
	Value   string    `text:"line"`
	Instant time.Time // instead of the value
	Date    bool      // of the instant only the day counts
}

type book struct {
	ID     string
	Title  string `text:"line"`
	SHA256 string
}

type environment struct {
	Name       string
	Production bool
	Windows    []times
	Freezes    []times
	Known      bool // whether it may be changed was looked up
	Open       bool
	At         time.Time // when it was
	Until      time.Time
	Next       time.Time
	Why        string `text:"line"`
}

// times are a window or a freeze.
type times struct {
	Name   string
	Reason string `text:"line"`
	Owner  string
	When   []string `text:"line"`
	Zone   string
}

type phase struct {
	Number int
	Name   string `text:"line"`
	Tasks  []planTask
}

type planTask struct {
	Number      string
	ID          string
	Name        string   `text:"line"`
	Detail      string   `text:"prose"`
	Kind        string   `text:"code"`
	Doers       []string // roles
	Accountable string   // role
	Person      string   // who was asked to do it
	Environment string   // empty: it changes none
	Overrun     string   `text:"code"`
	Needs       []string // numbers
	Evidence    []wanted
	Due         planDue
	Typical     time.Duration
	Skip        string // role that may let it be skipped
	Runs        string // runbook

	Status   string `text:"code"`
	Begun    time.Time
	Ended    time.Time
	Took     time.Duration
	By       string
	Attempt  int
	Late     bool
	LateBy   time.Duration
	Reason   string `text:"line"`
	Finished bool
}

// planDue is when a task is due: an instant, or a rule that cannot be computed yet.
type planDue struct {
	At     time.Time
	Rule   bool
	Within time.Duration
	Days   int
	After  string `text:"line"` // name of a task, empty: the start
	Date   string `text:"line"` // description of a parameter
	Before bool
	Begun  bool // after it begins itself
	Zone   string
}

type absent struct {
	Name string `text:"line"`
	When string `text:"line"`
}

type votingRule struct {
	Task     string `text:"line"`
	Voters   []string
	Count    int
	Percent  int
	Each     string   `text:"code"`
	Required []string // each of them has to say yes
	Not      []string `text:"code"` // who may not vote
	Approves bool     // undecided it is approved
	Go       bool     // it decides whether to go
	Risk     bool     // and ready with risk is a yes
	Due      planDue
}

type undoing struct {
	Task      string `text:"line"`
	Component string
	Runs      string
	Detail    string `text:"line"`
	Within    time.Duration
	Rehearsed string `text:"line"` // task
	Forward   bool
	DecideBy  time.Time // zero: not known yet
}

type announcement struct {
	Task string   `text:"line"`
	To   []string // roles
	Text string   `text:"line"`
}

type watch struct {
	Task   string `text:"line"`
	Before []time.Duration
	After  time.Duration
	To     []string // roles, when it is overdue
}

type planContact struct {
	Role  string
	Party string `text:"code"`
	Who   []string
	Reach string // empty: nothing that all may know
}

type matrixRow struct {
	Number  string
	Name    string   `text:"line"`
	Letters []string `text:"code"` // with those who vote and check
}

type cast struct {
	At     time.Time
	On     string `text:"line"`
	Who    string
	For    string
	Choice string `text:"code"`
	Reason string `text:"line"`
	SHA256 string
	Late   bool
	Void   bool // something else was shown later, or they have voted again
}

// delegation is that somebody lets another one vote.
type delegation struct {
	At    time.Time
	On    string `text:"line"`
	Who   string
	To    string
	Until time.Time
}

type decision struct {
	At      time.Time
	On      string `text:"line"`
	Outcome string `text:"line"`
	By      string // empty: the time, or people who came or left
}

type waiver struct {
	Task     string `text:"line"`
	Reason   string `text:"line"`
	Control  string `text:"line"`
	By       string
	Asked    time.Time
	Until    time.Time
	Approver string
	Decided  time.Time
	Outcome  string `text:"code"`
	Note     string `text:"line"`
	Expired  time.Time
}

type override struct {
	Environment string
	Freeze      string // empty: outside every window
	Reason      string `text:"line"`
	By          string
	Asked       time.Time
	Until       time.Time
	Approver    string
	Decided     time.Time
	Outcome     string `text:"code"`
	Note        string `text:"line"`
	Ended       time.Time
}

type planChange struct {
	By      string
	Reason  string `text:"line"`
	What    string `text:"line"`
	SHA256  string
	Asked   time.Time
	Decided time.Time
	Outcome string `text:"line"`
	Applied bool
}

type evidence struct {
	Task     string `text:"line"`
	Item     string `text:"line"`
	Ref      string `text:"line"`
	SHA256   string
	Note     string `text:"line"`
	By       string
	At       time.Time
	Checker  string
	Returned bool // it was not accepted
	Earlier  bool // of an attempt that counts no more
}

type measure struct {
	Task                    string `text:"line"`
	Passed, Failed, Unclear int
	Last                    string `text:"code"`
	At                      time.Time
	Seen                    string `text:"line"`
}

// keptAlert was held back while something was changed.
type keptAlert struct {
	Task        string `text:"line"`
	Name        string `text:"line"`
	Summary     string `text:"line"`
	Times       int
	First, Last time.Time
	Resolved    bool
}

type wave struct {
	Task    string `text:"line"`
	Number  int
	Targets []target
}

type target struct {
	Name   string
	Status string `text:"code"`
	By     string
	At     time.Time
	Reason string `text:"line"`
}

type undone struct {
	Environment string
	By          string // empty: Muster
	Reason      string `text:"line"`
	Begun       time.Time
	Ended       time.Time
	Took        time.Duration
	Items       []undoneItem
}

type undoneItem struct {
	Component string
	Task      string `text:"line"`
	State     string `text:"code"`
	Begun     time.Time
	Ended     time.Time
	Took      time.Duration
	By        string
	Note      string `text:"line"`
	Late      bool
}

// stay is what somebody still has to do, or to know.
type stay struct {
	What   string    `text:"code"` // task, waiver, override, change, kept
	Name   string    `text:"line"`
	Status string    `text:"code"` // of a task
	Until  time.Time // of a waiver or an override
}
