-- Back to no accounts of what calls cost: every recorded call and today's budgets are lost.
DROP TABLE budget_days;
DROP TABLE provider_calls;
