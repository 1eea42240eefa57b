package devserver

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// settings are Temporal's dynamic settings that differ from the server's defaults, which are made for a cluster
// with many hosts and tenants. The figures are from a machine with 2 cores.
func settings() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// Each history queue reads its next tasks at most this often per second and shard. The default, 20, makes
		// every hop of a workflow wait up to 50 ms: 100 ms for one idle activity instead of 15 ms.
		dynamicconfig.TransferProcessorMaxPollRPS.Key(): 2000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():    2000,
		// The same for list updates and outbound calls, which nobody waits for that closely.
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 200,
		dynamicconfig.OutboundProcessorMaxPollRPS.Key():   200,

		// A client that waits for the end of a run can miss the wake-up: the notifier drops news when its buffer of
		// one is full. It then waits for this long poll to expire, by default 20 s after the end.
		dynamicconfig.HistoryLongPollExpirationInterval.Key(): 2 * time.Second,

		// Partitions spread a task queue over matching hosts. There is one host here, and with several partitions a
		// poller and its task can sit in different ones. It also keeps priority exact: one queue, one order.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// Priority keys (a P1 page before a P4 storm) work only in the new matcher. It is the default now; Muster's
		// promise must not hang on a default.
		dynamicconfig.MatchingUseNewMatcher.Key():  true,
		dynamicconfig.MatchingPriorityLevels.Key(): 5,

		// Added search attributes are usable at once, in every service. Otherwise each waits for its own cache to
		// expire and a workflow task that sets a new attribute fails until then.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,

		// Lists and counts are limited to 10/s by default: the pages, the CLI and the self-watch together want more.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():        200,
		dynamicconfig.FrontendMaxNamespaceVisibilityBurstRatioPerInstance.Key(): 2.0,

		// A run whose workflow tasks keep failing is marked with TemporalReportedProblems, which the self-watch alarms
		// on. One failure in a row can be a worker that was killed, two are a run that nobody drives. A worker reports
		// only the first; each further one shows as a time-out, the second after 10 s, the fifth (the default) minutes
		// later because of the back-off in between.
		dynamicconfig.NumConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute.Key(): 2,

		// Updates in flight in one run. The default, 10, is reached when a whole team reacts to one page; the client
		// then backs off for a second. The limit of 2,000 updates per run stays: workflows continue as new before it
		// here as they do on a cluster.
		dynamicconfig.WorkflowExecutionMaxInFlightUpdates.Key(): 100,

		// Cached runs, each some 80 kB with its events: the default of 128,000 has no bound on a small machine. A
		// miss costs one read of SQLite.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 4096,

		// Who is refused is told why, and where the token is. Otherwise only "Request unauthorized.".
		dynamicconfig.ExposeAuthorizerErrors.Key(): true,
		// It is the default; that nobody comes in by a stream must not hang on a default.
		dynamicconfig.DisableStreamingAuthorizer.Key(): false,

		// The server asks its maker once a day whether a newer version exists, and says what runs here. It must not.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
