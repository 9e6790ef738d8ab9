-- Back to the providers as configured: what operators decided about their order is lost.
DROP TABLE provider_control;
DROP TABLE provider_settings;
