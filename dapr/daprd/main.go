// Dapr's sidecar with the components that Spindle uses, registered by import: Dapr's own command brings all of them or
// none. Flags, environment and behaviour are those of the stock daprd.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/dapr/components-contrib/bindings"
	bcron "github.com/dapr/components-contrib/bindings/cron"
	bhttp "github.com/dapr/components-contrib/bindings/http"
	bkafka "github.com/dapr/components-contrib/bindings/kafka"
	bsmtp "github.com/dapr/components-contrib/bindings/smtp"
	pinmem "github.com/dapr/components-contrib/pubsub/in-memory"
	pkafka "github.com/dapr/components-contrib/pubsub/kafka"
	predis "github.com/dapr/components-contrib/pubsub/redis"
	senv "github.com/dapr/components-contrib/secretstores/local/env"
	sfile "github.com/dapr/components-contrib/secretstores/local/file"
	pgv2 "github.com/dapr/components-contrib/state/postgresql/v2"

	"github.com/dapr/dapr/cmd/daprd/options"
	bl "github.com/dapr/dapr/pkg/components/bindings"
	cl "github.com/dapr/dapr/pkg/components/configuration"
	convl "github.com/dapr/dapr/pkg/components/conversation"
	cryl "github.com/dapr/dapr/pkg/components/crypto"
	ll "github.com/dapr/dapr/pkg/components/lock"
	ml "github.com/dapr/dapr/pkg/components/middleware/http"
	nl "github.com/dapr/dapr/pkg/components/nameresolution"
	pl "github.com/dapr/dapr/pkg/components/pubsub"
	sl "github.com/dapr/dapr/pkg/components/secretstores"
	stl "github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/metrics"
	"github.com/dapr/dapr/pkg/modes"
	"github.com/dapr/dapr/pkg/runtime"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/dapr/pkg/security"
	"github.com/dapr/kit/concurrency"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/signals"
)

var log = logger.NewLogger("dapr.runtime")
var logc = logger.NewLogger("dapr.contrib")

func main() {
	o, err := options.New(os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	if o.WaitCommand {
		runtime.WaitUntilDaprOutboundReady(o.DaprHTTPPort)
		return
	}
	o.Logger.SetAppID(o.AppID)
	if err = logger.ApplyOptionsToLoggers(&o.Logger); err != nil {
		log.Fatal(err)
	}
	b := bl.DefaultRegistry
	b.RegisterInputBinding(bcron.NewCron, "cron")
	b.RegisterInputBinding(func(l logger.Logger) bindings.InputBinding { return bkafka.NewKafka(l) }, "kafka")
	b.RegisterOutputBinding(func(l logger.Logger) bindings.OutputBinding { return bkafka.NewKafka(l) }, "kafka")
	b.RegisterOutputBinding(bhttp.NewHTTP, "http")
	b.RegisterOutputBinding(bsmtp.NewSMTP, "smtp")
	pl.DefaultRegistry.RegisterComponent(pkafka.NewKafka, "kafka")
	pl.DefaultRegistry.RegisterComponent(predis.NewRedisStreams, "redis")
	pl.DefaultRegistry.RegisterComponent(pinmem.New, "in-memory")
	sl.DefaultRegistry.RegisterComponent(senv.NewEnvSecretStore, "local.env")
	sl.DefaultRegistry.RegisterComponent(sfile.NewLocalSecretStore, "local.file")
	stl.DefaultRegistry.RegisterComponent(pgv2.NewPostgreSQLStateStore, "postgresql/v2")
	b.Logger, pl.DefaultRegistry.Logger, sl.DefaultRegistry.Logger, stl.DefaultRegistry.Logger = logc, logc, logc, logc
	nl.DefaultRegistry.Logger, cl.DefaultRegistry.Logger, ll.DefaultRegistry.Logger = logc, logc, logc
	cryl.DefaultRegistry.Logger, convl.DefaultRegistry.Logger, ml.DefaultRegistry.Logger = logc, logc, log

	if err = run(signals.Context(), o); err != nil {
		fmt.Fprintln(os.Stderr, "daprd:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options.Options) error {
	reg := registry.NewOptions().
		WithSecretStores(sl.DefaultRegistry).WithStateStores(stl.DefaultRegistry).
		WithConfigurations(cl.DefaultRegistry).WithLocks(ll.DefaultRegistry).
		WithPubSubs(pl.DefaultRegistry).WithNameResolutions(nl.DefaultRegistry).
		WithBindings(bl.DefaultRegistry).WithCryptoProviders(cryl.DefaultRegistry).
		WithHTTPMiddlewares(ml.DefaultRegistry).WithConversations(convl.DefaultRegistry)
	hz := healthz.New()
	sp, err := security.New(ctx, security.Options{
		SentryAddress: o.SentryAddress, ControlPlaneTrustDomain: o.ControlPlaneTrustDomain,
		ControlPlaneNamespace: o.ControlPlaneNamespace, TrustAnchors: o.TrustAnchors,
		AppID: o.AppID, MTLSEnabled: o.EnableMTLS, Mode: modes.DaprMode(o.Mode),
		Healthz: hz, JwtAudiences: o.SentryRequestJwtAudiences,
	})
	if err != nil {
		return err
	}
	return concurrency.NewRunnerManager(sp.Run, func(ctx context.Context) error {
		sec, err := sp.Handler(ctx)
		if err != nil {
			return err
		}
		rt, err := runtime.FromConfig(ctx, &runtime.Config{
			AppID: o.AppID, ActorsService: o.ActorsService,
			RemindersService: o.RemindersService,
			SchedulerAddress:           o.SchedulerAddress, SchedulerStreams: o.SchedulerJobStreams,
			AllowedOrigins: o.AllowedOrigins, ResourcesPath: o.ResourcesPath,
			ControlPlaneAddress: o.ControlPlaneAddress, AppProtocol: o.AppProtocol, Mode: o.Mode,
			DaprHTTPPort: o.DaprHTTPPort, DaprInternalGRPCPort: o.DaprInternalGRPCPort,
			DaprInternalGRPCListenAddress: o.DaprInternalGRPCListenAddress,
			DaprAPIGRPCPort:               o.DaprAPIGRPCPort, DaprAPIListenAddresses: o.DaprAPIListenAddresses,
			DaprPublicPort: o.DaprPublicPort, DaprPublicListenAddress: o.DaprPublicListenAddress,
			ApplicationPort: o.AppPort, ProfilePort: o.ProfilePort, EnableProfiling: o.EnableProfiling,
			AppMaxConcurrency: o.AppMaxConcurrency, EnableMTLS: o.EnableMTLS, SentryAddress: o.SentryAddress,
			MaxRequestSize: o.MaxRequestSize, ReadBufferSize: o.ReadBufferSize,
			UnixDomainSocket:             o.UnixDomainSocket,
			DaprGracefulShutdownSeconds:  o.DaprGracefulShutdownSeconds,
			DaprBlockShutdownDuration:    o.DaprBlockShutdownDuration,
			DisableBuiltinK8sSecretStore: o.DisableBuiltinK8sSecretStore,
			EnableAppHealthCheck:         o.EnableAppHealthCheck, AppHealthCheckPath: o.AppHealthCheckPath,
			AppHealthProbeInterval: o.AppHealthProbeInterval, AppHealthProbeTimeout: o.AppHealthProbeTimeout,
			AppHealthThreshold: o.AppHealthThreshold, AppChannelAddress: o.AppChannelAddress,
			EnableAPILogging: o.EnableAPILogging, Config: o.Config,
			Metrics: metrics.Options{Enabled: o.Metrics.Enabled(), Log: log, Port: o.Metrics.Port(),
				Namespace: metrics.DefaultMetricNamespace, Healthz: hz,
				ListenAddress: o.Metrics.ListenAddress()},
			AppSSL: o.AppSSL, ComponentsPath: o.ComponentsPath, Registry: reg, Security: sec, Healthz: hz,
		})
		if err != nil {
			return err
		}
		return rt.Run(ctx)
	}).Run(ctx)
}
