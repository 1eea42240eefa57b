package workflows

// A Registered workflow is a function under the name that stands in histories.
type Registered struct {
	Name     string
	Function any
}

// All lists the workflows, for workers, replay and preview.
func All() []Registered {
	return []Registered{
		{IncidentWorkflow, Incident},
		{ReviewWorkflow, Review},
		{HandoverWorkflow, Handover},
		{CertificateRemindersWorkflow, CertificateReminders},
		{ArchiveWorkflow, Archive},
		{RequestWorkflow, Request},
		{ActionItemWorkflow, ActionItem},
		{EscalationWorkflow, Escalation},
		{UsageWorkflow, Usage},
		{ContactsWorkflow, Contacts},
		{ProblemWorkflow, Problem},
		{ChangeWorkflow, Change},
		{UpgradeWorkflow, PlanRun},
		{GoLiveWorkflow, PlanRun},
		{ReadinessWorkflow, PlanRun},
		{MaintenanceWorkflow, PlanRun},
		{EnvironmentLockWorkflow, EnvironmentLock},
		{SilenceWorkflow, Silence},
		{HeartbeatWorkflow, Heartbeat},
		{AlertSilenceWorkflow, AlertSilence},
		{RoutineWorkflow, Routine},
		{AutomaticResponseWorkflow, AutomaticResponse},
	}
}
