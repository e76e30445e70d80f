-- What Argo CD says of a RewardModelTraining: key resource.customizations.health.training.rrm.dev_RewardModelTraining
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not looked at this spec yet"}
end

local holds, ready = {}, {}
for _, condition in ipairs(status.conditions or {}) do
  holds[condition.type] = condition.status == "True"
  if condition.type == "Ready" then ready = condition end
end

local health = {status = "Progressing"}
health.message = (ready.reason or "Unknown") .. ": " .. (ready.message or "")
if holds.Stalled then
  health.status = "Degraded"
elseif holds.Suspended then
  health.status = "Suspended"
elseif holds.Ready then
  health.status = "Healthy"
end
return health
